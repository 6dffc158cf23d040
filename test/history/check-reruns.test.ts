import { expect, test } from "vitest";
import { check } from "./check.ts";
import { rerunName } from "./check-keys.ts";
import type { HistoryEntry } from "./history.ts";
import { attempt, failed, job, jobRef, written } from "./plant.ts";

const removed = job("k", { createdMs: 1_500, removedMs: 3_000 });
const again = job("k", { createdMs: 5_000 }, { uid: "uid 2" });
const answeredAgain = attempt("k", [4_900, 5_100], { job: jobRef("k", "uid 2"), delivery: 1 });
const silent = attempt("k", [1_000, 1_600], { ...failed(0), replica: undefined, delivery: 1 });
const unwritten = attempt("k", [1_000, 1_600], { ...failed(503, "api-unavailable"), delivery: 1 });
const reserved = written("k", "P", 1_400);
const done = (atMs: number) => written("k", "D", atMs, { slot: "k", state: "P", sinceMs: 1_000 });

const judge = (history: HistoryEntry[]) => {
  const { violations, counts } = check(history, { policy: "allow", isRemembered: true });
  return { isDoubled: violations.some(({ rule }) => rule === "doubled"), reruns: counts[rerunName] };
};

test.each<[string, HistoryEntry[]]>([
  ["its maker gave no answer", [silent]],
  ["its maker could not write the record", [unwritten]],
  ["its maker, who got no answer, made it again", [attempt("k", [1_000, 6_000], { job: jobRef("k", "uid 2") })]],
  ["only the second was written down", [silent, done(5_050)]],
  ["another key was written down", [silent, written("l", "D", 1_600)]],
  [
    "the second was removed too, and that was told",
    [
      silent,
      ...job("k", { createdMs: 5_000, removedMs: 6_000 }, { uid: "uid 2" }).slice(1),
      attempt("k", [7_000, 7_100], { job: jobRef("k", null) }),
    ],
  ],
])("a second Job is the documented hole when the first was removed and %s", (_what, entries) => {
  expect(judge([reserved, ...removed, ...again, answeredAgain, ...entries])).toEqual({ isDoubled: false, reruns: 1 });
});

const duplicate = attempt("k", [1_700, 1_800], { outcome: "duplicate" });

test.each<[string, HistoryEntry[]]>([
  ["somebody was told of the first", [reserved, ...removed, silent, duplicate]],
  ["somebody was told of the first, later", [reserved, ...removed, silent, attempt("k", [1_400, 6_000])]],
  [
    "it was told that there had been one",
    [reserved, ...removed, silent, attempt("k", [3_500, 3_600], { job: jobRef("k", null) })],
  ],
  ["the record had it as done, and lost it", [reserved, ...removed, silent, done(1_600)]],
  ["the record had it as ended", [reserved, ...removed, silent, written("k", "E", 4_999)]],
  ["the record did not have it before it was created", [written("k", "P", 1_500), ...removed, silent]],
  ["the record had another key", [written("l", "P", 1_400), ...removed, silent]],
  ["the first was still there", [reserved, silent, ...job("k", { createdMs: 1_500 })]],
  [
    "the second has another name",
    [reserved, silent, ...job("k", { createdMs: 1_500, removedMs: 3_000 }, { name: "sync-x-k" })],
  ],
])("but not when %s", (_what, entries) => {
  expect(judge([...entries, ...again, answeredAgain])).toEqual({ isDoubled: true, reruns: 0 });
});
