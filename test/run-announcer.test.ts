import { expect, it } from "vitest";
import type { JsonObject } from "../functions/core/json.ts";
import { ApiError } from "../functions/kubernetes/api-error.ts";
import { createRunAnnouncer } from "../functions/run-announcer.ts";

const jobOf = (name: string) => ({ name, namespace: "n", uid: "u", createdAt: null });

/** An announcer whose Events are answered as told: `settle` lets the oldest that is under way end. */
function start() {
  const sent: string[] = [];
  const underWay: PromiseWithResolvers<JsonObject>[] = [];
  const lines: object[] = [];
  const createEvent = (event: JsonObject) => {
    sent.push((event.metadata as { name: string }).name);
    const answer = Promise.withResolvers<JsonObject>();
    underWay.push(answer);
    return answer.promise;
  };
  const log = { warn: (line: object) => void lines.push(line) };
  return { sent, underWay, lines, announcer: createRunAnnouncer({ createEvent }, log as never) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("sends one Event at a time, in their order, and settles when all are sent", async () => {
  const { announcer, sent, underWay, lines } = start();
  for (const name of ["a", "b"]) announcer.announce({}, jobOf(name));
  await turn();
  expect(sent).toEqual(["a"]);
  underWay[0]?.resolve({});
  await turn();
  expect(sent).toEqual(["a", "b"]);
  let settled = false;
  const settling = announcer.settle(60_000).then(() => {
    settled = true;
  });
  await turn();
  expect(settled).toBe(false);
  underWay[1]?.resolve({});
  await settling;
  expect(lines).toEqual([]);
});

it.each([
  ["a refusal", 403, "create events was answered 403: said so"],
  ["no answer", 0, "create events: said so"],
])("logs %s and goes on with the next", async (_what, status, detail) => {
  const { announcer, sent, underWay, lines } = start();
  for (const name of ["a", "b"]) announcer.announce({}, jobOf(name));
  await turn();
  const failure = { call: "createEvent", status, reason: "", message: "said so", mayHaveTakenEffect: false } as const;
  underWay[0]?.reject(new ApiError(failure));
  await turn();
  expect(lines).toEqual([{ job: "a", detail }]);
  expect(sent).toEqual(["a", "b"]);
});

it("keeps at most 1,000 that wait, and logs what it drops", async () => {
  const { announcer, lines } = start();
  for (let index = 0; index < 1_000; index += 1) announcer.announce({}, jobOf(`j${index}`));
  expect(lines).toEqual([]);
  announcer.announce({}, jobOf("dropped"));
  expect(lines).toEqual([{ job: "dropped", detail: "1000 others wait for theirs" }]);
});

it("does not settle for longer than it is told", async () => {
  const { announcer, sent } = start();
  announcer.announce({}, jobOf("a"));
  await announcer.settle(1);
  expect(sent).toEqual(["a"]);
});
