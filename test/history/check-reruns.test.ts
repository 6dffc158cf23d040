import { expect, test } from "vitest";
import { check } from "./check.ts";
import { rerunName } from "./check-keys.ts";
import type { HistoryEntry } from "./history.ts";
import { attempt, failed, job, jobRef } from "./plant.ts";

const removed = job("k", { createdMs: 1_500, removedMs: 3_000 });
const again = job("k", { createdMs: 5_000 }, { uid: "uid 2" });
const answeredAgain = attempt("k", [4_900, 5_100], { job: jobRef("k", "uid 2"), delivery: 1 });
const silent = attempt("k", [1_000, 1_600], { ...failed(0), replica: undefined, delivery: 1 });
const unwritten = attempt("k", [1_000, 1_600], { ...failed(503, "api-unavailable"), delivery: 1 });

const judge = (history: HistoryEntry[]) => {
  const { violations, counts } = check(history, { policy: "allow", isRemembered: true });
  return { isDoubled: violations.some(({ rule }) => rule === "doubled"), reruns: counts[rerunName] };
};

test.each<[string, HistoryEntry[]]>([
  ["its maker gave no answer", [silent]],
  ["its maker could not write the record", [unwritten]],
  ["its maker, who got no answer, made it again", [attempt("k", [1_000, 6_000], { job: jobRef("k", "uid 2") })]],
  [
    "the second was removed too, and that was told",
    [
      silent,
      ...job("k", { createdMs: 5_000, removedMs: 6_000 }, { uid: "uid 2" }).slice(1),
      attempt("k", [7_000, 7_100], { job: jobRef("k", null) }),
    ],
  ],
])("a second Job is the documented hole when the first was removed and %s", (_what, entries) => {
  expect(judge([...removed, ...again, answeredAgain, ...entries])).toEqual({ isDoubled: false, reruns: 1 });
});

test.each<[string, HistoryEntry[]]>([
  ["somebody was told of the first", [...removed, silent, attempt("k", [1_700, 1_800], { outcome: "duplicate" })]],
  ["somebody was told of the first, later", [...removed, silent, attempt("k", [1_400, 6_000])]],
  [
    "it was told that there had been one",
    [...removed, silent, attempt("k", [3_500, 3_600], { job: jobRef("k", null) })],
  ],
  ["nobody had asked for the first", removed],
  ["the first was still there", [silent, ...job("k", { createdMs: 1_500 })]],
])("but not when %s", (_what, entries) => {
  expect(judge([...entries, ...again, answeredAgain])).toEqual({ isDoubled: true, reruns: 0 });
});
