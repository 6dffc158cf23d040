import { expect, test } from "vitest";
import type { Promised } from "./case.ts";
import { check } from "./check.ts";
import type { HistoryEntry } from "./history.ts";
import { attempt, failed, job, named, written } from "./plant.ts";

// Requests with a policy of their own, and keys that are used for two requests.

const made = job("k", { createdMs: 1_500 });
const first = attempt("k", [1_000, 2_000]);
const forbid = { onOverlap: "forbid" } as const;
const later = [...job("l", { createdMs: 1_800 }, forbid), attempt("l", [1_000, 2_000], forbid)];
const reserved = (atMs: number) => written("l", "P", atMs);
const reused = { ...failed(422, "key-reused"), ...forbid };
const refused = { ...named("refused", "k"), ...forbid };

test.each<[string, string[], HistoryEntry[], Partial<Promised>?]>([
  ["forbid beside allow", ["overlap"], [...made, first, reserved(1_600), ...later]],
  ["forbid beside allow, the record not known", ["overlap"], [...made, first, ...later]],
  ["forbid decided before allow came", [], [...made, first, reserved(1_400), ...later]],
  [
    "forbid decided before, and reserved after it came",
    [],
    [...made, first, reserved(1_400), ...later, reserved(1_900)],
  ],
  [
    "a Job of another request of its key",
    ["unexplained"],
    [
      ...made,
      first,
      reserved(1_400),
      ...later.slice(0, 1),
      attempt("l", [1_000, 2_000], { ...failed(503, "api-unavailable"), delivery: 1 }),
      attempt("l", [1_000, 2_000], { ...refused, delivery: 1 }),
    ],
  ],
  ["forbid decided before and again", ["overlap"], [...made, first, reserved(1_400), reserved(1_600), ...later]],
  [
    "forbid decided before another forbid came",
    ["overlap"],
    [...job("k", { createdMs: 1_500 }, forbid), attempt("k", [1_000, 2_000], forbid), reserved(1_400), ...later],
  ],
  [
    "allow beside forbid",
    [],
    [
      ...[...made, attempt("k", [1_000, 2_000])],
      ...[
        ...job("l", { createdMs: 1_600 }, { onOverlap: "allow" }),
        attempt("l", [1_000, 2_000], { onOverlap: "allow" }),
      ],
    ],
    { policy: "forbid" },
  ],
  [
    "a Job of a key that was refused",
    ["unexplained"],
    [...made, first, reserved(1_400), ...later.slice(0, 1), attempt("l", [1_000, 2_000], refused)],
  ],
  [
    "a Job of a key that was joined",
    ["unexplained"],
    [
      ...[...made, first, ...job("l", { createdMs: 1_800 }, { onOverlap: "join" }), reserved(1_400)],
      attempt("l", [1_000, 2_000], { ...named("joined", "k"), onOverlap: "join" }),
    ],
  ],
  ["refused under allow", ["wrong outcome"], [...made, first, attempt("k", [1_000, 2_000], named("refused", "k"))]],
  [
    "joined under forbid",
    ["wrong outcome"],
    [...made, first, attempt("l", [1_600, 2_000], { ...named("joined", "k"), ...forbid })],
  ],
  ["refused under forbid", [], [...made, first, attempt("l", [1_600, 2_000], refused)]],
  [
    "success with a Job of another request",
    ["wrong Job"],
    [...made, first, attempt("k", [1_600, 2_000], { ...forbid, outcome: "duplicate" })],
  ],
  ["a reused key", [], [...made, first, attempt("k", [1_600, 2_000], reused)]],
  [
    "a reused key that had no Job yet",
    ["unexplained"],
    [...job("k", { createdMs: 3_100 }), attempt("k", [3_000, 3_200]), attempt("k", [1_600, 2_000], reused)],
  ],
  [
    "a reused key, the request the same",
    ["unexplained"],
    [...made, first, attempt("k", [1_600, 2_000], failed(422, "key-reused"))],
  ],
  [
    "a reused key by another status",
    ["unexplained"],
    [...made, first, attempt("k", [1_600, 2_000], { ...reused, status: 409 })],
  ],
  [
    "no Job for the one of allow",
    ["missing"],
    [attempt("l", [1_000, 2_000], { ...failed(409, "refused"), onOverlap: "allow" })],
    { policy: "forbid" },
  ],
])("%s", (_what, rules, history, promised = {}) => {
  const { violations } = check(history, { policy: "allow", isRemembered: true, ...promised });
  expect(violations.map(({ rule }) => rule)).toEqual(rules);
});
