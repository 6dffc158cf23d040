import { expect, test } from "vitest";
import { judge } from "./judge.ts";

const readingsOf = (rssMb: number[], sockets: number[]) =>
  rssMb.map((value, index) => ({ atS: index, rssMb: value, sockets: sockets[index] ?? 0 }));
const flat = Array(8).fill(100) as number[];
const good = {
  ...{ readings: readingsOf(flat, Array(8).fill(17)), requests: 1_000, wrong: { count: 0, examples: [] } },
  ...{ slow: 10, sockets: { before: 3, after: 3 }, exitCode: 0, counts: {} },
};

test.each([
  ["that is as it should be", {}, []],
  ["with a wrong answer", { wrong: { count: 1, examples: ["x"] } }, ["1 wrong answers: x"]],
  ["with 503 for too many", { slow: 11 }, ["11 of 1000 got 503 or 504 from an API server that was there"]],
  [
    "whose memory grows",
    { readings: readingsOf([100, 100, 100, 100, 110, 120, 130, 130], flat) },
    ["memory grew from 100 to 130 MB"],
  ],
  [
    "whose memory reaches the limit",
    { readings: readingsOf([100, 256, ...flat.slice(2)], flat) },
    ["memory reached 256 MB"],
  ],
  [
    "whose sockets grow",
    { readings: readingsOf(flat, [17, 17, 17, 17, 20, 25, 40, 40]) },
    ["sockets grew from 17 to 40"],
  ],
  ["that leaves sockets open", { sockets: { before: 3, after: 4 } }, ["4 sockets stayed open, 3 before"]],
  ["that ends badly", { exitCode: 1 }, ["the function ended with 1"]],
])("a soak %s", (_what, change, expected) => {
  expect(judge({ ...good, ...change } as never)).toEqual(expected);
});
