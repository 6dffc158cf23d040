import { expect, test } from "vitest";
import type { Promised } from "./case.ts";
import { check } from "./check.ts";
import type { HistoryEntry } from "./history.ts";
import { attempt, failed, job, jobRef, named, process } from "./plant.ts";

const made = job("k", { createdMs: 1_500 });
const removed = job("k", { createdMs: 1_500, removedMs: 3_000 });
const ended = job("k", { createdMs: 1_000, endedMs: 2_000 });
const first = attempt("k", [1_000, 2_000]);
const early = attempt("k", [900, 1_100]);
const retried = attempt("k", [1_000, 2_000], { delivery: 1 });

test.each<[string, Partial<Promised>, HistoryEntry[]]>([
  ["one key, one Job", {}, [...made, first]],
  ["a redelivery", {}, [...made, first, attempt("k", [3_000, 3_010], { outcome: "duplicate" })]],
  [
    "and one after a person removed the Job",
    {},
    [...removed, first, attempt("k", [4_000, 4_010], { outcome: "duplicate" })],
  ],
  ["a Job gone before its uid was seen", {}, [...removed, attempt("k", [1_000, 4_000], { job: jobRef("k", null) })]],
  ["an event's empty 202", {}, [...made, attempt("k", [1_000, 2_000], { outcome: undefined, job: undefined })]],
  [
    "a failure that is tried again",
    {},
    [...made, attempt("k", [0, 10], { ...failed(503, "api-unavailable"), delivery: 1 }), retried],
  ],
  [
    "no answer from a killed process",
    {},
    [...made, process("killed", 500), attempt("k", [400, 501], { ...failed(0), delivery: 1 }), retried],
  ],
  [
    "a late answer of a frozen process",
    {},
    [...made, process("frozen", 1_100), process("thawed", 60_000), attempt("k", [1_000, 60_100])],
  ],
  [
    "too many at work in a process that was frozen",
    {},
    [
      ...[...made, process("frozen", 0), process("thawed", 990)],
      ...[attempt("k", [1_000, 1_001], { ...failed(503, "overloaded"), delivery: 1 }), retried],
    ],
  ],
  [
    "too many at work soon after the API server came back",
    {},
    [
      { kind: "api-server", atMs: 0, change: "stopping" },
      { kind: "api-server", atMs: 10, change: "started" },
      ...[...made, attempt("k", [1_000, 1_001], { ...failed(503, "overloaded"), delivery: 1 }), retried],
    ],
  ],
  [
    "forbid: one after the other",
    { policy: "forbid" },
    [...ended, ...job("l", { createdMs: 2_001 }), early, attempt("l", [1_900, 2_100])],
  ],
  [
    "forbid: a Job that was removed unfinished is in nobody's way",
    { policy: "forbid" },
    [...removed, ...job("l", { createdMs: 3_001 }), first, attempt("l", [1_900, 3_100])],
  ],
  [
    "forbid: refused while another runs, made later",
    { policy: "forbid" },
    [
      ...[...ended, ...job("l", { createdMs: 3_000 }), early, attempt("l", [2_900, 3_100])],
      attempt("l", [1_500, 1_600], named("refused", "k")),
    ],
  ],
  [
    "join: named while it ends",
    { policy: "join" },
    [...ended, early, attempt("l", [1_900, 2_500], named("joined", "k"))],
  ],
  [
    "without a window: a Job again once the first is removed",
    { isRemembered: false },
    [
      ...[...removed, ...job("k", { createdMs: 5_000 }, { uid: "uid 2" }), first],
      attempt("k", [4_900, 5_100], { job: jobRef("k", "uid 2") }),
    ],
  ],
  [
    "a Job that vanished in a gap of the watch counts as long as it was surely there",
    { policy: "forbid" },
    [
      ...job("k", { createdMs: 1_000 }),
      ...job("k", { createdMs: 9_000 }, { change: "vanished" }),
      ...[...job("l", { createdMs: 5_000 }), early, attempt("l", [4_900, 5_100])],
    ],
  ],
])("every promise is kept: %s", (_what, promised, history) => {
  expect(check(history, { policy: "allow", isRemembered: true, ...promised }).violations).toEqual([]);
});

test("what happened is counted", () => {
  const history = [...made, first, attempt("k", [3_000, 3_010], { outcome: "duplicate" }), process("killed", 1)];
  expect(check(history, { policy: "allow", isRemembered: true }).counts).toMatchObject({
    ...{ deliveries: 2, requests: 2, keys: 1, Jobs: 1, "200 created": 1, "200 duplicate": 1, "process killed": 1 },
  });
});
