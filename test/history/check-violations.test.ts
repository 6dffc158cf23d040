import { describe, expect, test } from "vitest";
import type { Promised } from "./case.ts";
import { check } from "./check.ts";
import type { HistoryEntry } from "./history.ts";
import { attempt, failed, job, jobRef, named, process, written } from "./plant.ts";

const made = job("k", { createdMs: 1_500 });
const removed = job("k", { createdMs: 1_500, removedMs: 3_000 });
const ended = job("k", { createdMs: 1_000, endedMs: 2_000 });
const second = (createdMs: number, name = "sync-k") => job("k", { createdMs }, { uid: "uid 2", name });
const other = job("l", { createdMs: 1_500 });
const first = attempt("k", [1_000, 2_000]);
const early = attempt("k", [900, 1_100]);
const misnamed = jobRef("k", "uid k", "sync-x");
const withoutUid = attempt("k", [1_000, 4_000], { outcome: "duplicate", job: jobRef("k", null) });
const withoutBody = attempt("k", [1_000, 2_000], { status: 202, outcome: undefined, job: undefined });
const toldOfSecond = attempt("k", [1_400, 5_100], { job: jobRef("k", "uid 2", "sync-x") });
const sameDigest = job("l", { createdMs: 1_500 }, { keyDigest: "digest k" });
const otherDigest = job("k", { createdMs: 5_000 }, { uid: "uid 2", keyDigest: "another" });
const answeredSecond = attempt("k", [4_900, 5_100], { job: { ...jobRef("k", "uid 2") } });

const failsOnce = (answer: Partial<typeof first>, times: [number, number] = [1_000, 1_900]) => [
  ...made,
  attempt("k", times, { ...answer, delivery: 1 }),
  attempt("k", [1_000, 2_000], { delivery: 1 }),
];

describe("of a key's Jobs", () => {
  test.each<[string, string[], HistoryEntry[], Partial<Promised>?]>([
    ["two at once", ["doubled"], [...made, ...second(1_600, "sync-x"), first]],
    ["two names, the first removed", ["doubled"], [...removed, ...second(5_000, "sync-x"), first]],
    ["two names, the first removed, nobody told", ["doubled"], [...removed, ...second(5_000, "sync-x"), toldOfSecond]],
    ["a second after an answered one", ["doubled", "forgotten"], [...removed, ...second(5_000), first, answeredSecond]],
    ["a second beside it without a window", ["doubled"], [...made, ...second(1_600), first], { isRemembered: false }],
    ["one that nobody asked for", ["unexplained"], [...made, first, ...other]],
    ["one without a key", ["unexplained"], [...made, first, ...job("l", { createdMs: 1_500 }, { key: undefined })]],
    ["two keys of one digest", ["digest"], [...made, first, ...sameDigest, attempt("l", [1_000, 2_000])]],
    [
      "two digests of one key",
      ["digest"],
      [...removed, ...otherDigest, first, answeredSecond],
      { isRemembered: false },
    ],
    ["one without a digest", ["digest"], [...job("k", { createdMs: 1_500 }, { keyDigest: undefined }), first]],
    ["one before its request", ["unexplained"], [...made, attempt("k", [1_900, 2_000])]],
  ])("%s", expectRules);
});

describe("of an answer", () => {
  test.each<[string, string[], HistoryEntry[], Partial<Promised>?]>([
    ["success without any Job", ["success without a Job", "missing"], [first]],
    ["success before the Job", ["success without a Job"], [...job("k", { createdMs: 3_100 }), first]],
    ["an event's 202 before the Job", ["success without a Job"], [...job("k", { createdMs: 3_100 }), withoutBody]],
    [
      "another key's Job",
      ["wrong Job"],
      [...made, ...other, attempt("l", [900, 2_000]), attempt("k", [1_000, 2_000], { job: jobRef("l") })],
    ],
    ["the right Job by a wrong name", ["wrong Job"], [...made, attempt("k", [1_000, 2_000], { job: misnamed })]],
    [
      "a Job that was gone before, without a window",
      ["known for too long"],
      [...removed, first, attempt("k", [3_001, 4_000], { outcome: "duplicate" })],
      { isRemembered: false },
    ],
    [
      "that there was a Job once, without a window",
      ["known for too long"],
      [...removed, first, attempt("k", [3_001, 4_000], { outcome: "duplicate", job: jobRef("k", null) })],
      { isRemembered: false },
    ],
    ["no uid although the Job is there", ["wrong Job"], [...made, withoutUid]],
    [
      "no uid before the Job is removed",
      ["wrong Job"],
      [{ kind: "removal", atMs: 4_001, uid: "uid k" }, ...job("k", { createdMs: 1_500, removedMs: 4_100 }), withoutUid],
    ],
    ["an error of our own", ["unexplained"], failsOnce(failed(503, "internal-error"))],
    ["an error of no catalogue", ["unexplained"], failsOnce(failed(500))],
    ["a code with another's status", ["unexplained"], failsOnce(failed(503, "outcome-unknown"))],
    ["an outcome nobody asked for", ["unexplained"], failsOnce({ outcome: "skipped", job: null })],
    [
      "silence of a running process",
      ["unexplained"],
      [process("killed", 500), process("started", 999), ...failsOnce(failed(0))],
    ],
    [
      "silence of a process before it was killed",
      ["unexplained"],
      [...failsOnce(failed(0)), process("killed", 1_901), process("started", 2_500)],
    ],
    ["silence while another is down", ["unexplained"], [process("killed", 500, "b"), ...failsOnce(failed(0))]],
    [
      "too many at work in a process that has run for long",
      ["unexplained"],
      [process("frozen", 0), process("thawed", 1_000), ...failsOnce(failed(503, "overloaded"), [16_001, 17_000])],
    ],
    ["more than 15 s", ["unexplained"], [...made, attempt("k", [1_000, 16_001])]],
    [
      "an answer that is to be repeated, and nobody did",
      ["missing"],
      [...made, attempt("k", [1_000, 2_000], failed(503, "in-flight"))],
    ],
    ...[404, 408, 429].map((status): [string, string[], HistoryEntry[]] => [
      `${status}, and nobody asked again`,
      ["missing", "unexplained"],
      [...made, attempt("k", [1_000, 2_000], failed(status))],
    ]),
    ["refused under allow, so no Job", ["missing"], [attempt("k", [1_000, 2_000], failed(409, "refused"))]],
  ])("%s", expectRules);
});

describe("of a policy", () => {
  test.each<[string, string[], HistoryEntry[], Partial<Promised>]>([
    [
      "forbid: two unfinished Jobs",
      ["overlap"],
      [...ended, ...job("l", { createdMs: 1_999 }), early, attempt("l", [1_900, 2_100])],
      { policy: "forbid" },
    ],
    [
      "join: two, until one is removed",
      ["overlap"],
      [...removed, ...job("l", { createdMs: 2_999 }), first, attempt("l", [1_900, 3_100])],
      { policy: "join" },
    ],
    [
      "forbid: two beside a longer one",
      ["overlap", "overlap"],
      [
        ...[...job("k", { createdMs: 1_500, endedMs: 9_000 }), first],
        ...[...job("l", { createdMs: 2_000, endedMs: 3_000 }), attempt("l", [1_900, 2_100])],
        ...[...job("m", { createdMs: 5_000 }), attempt("m", [4_900, 5_100])],
      ],
      { policy: "forbid" },
    ],
    [
      "join: a Job that had ended",
      ["named an ended Job"],
      [...ended, early, attempt("l", [2_001, 2_500], named("joined", "k"))],
      { policy: "join" },
    ],
    [
      "join: a Job that had ended before the watch told of it",
      ["named an ended Job"],
      [...ended, { kind: "end", atMs: 1_800, uid: "uid k" }, early, attempt("l", [1_900, 2_500], named("joined", "k"))],
      { policy: "join" },
    ],
    [
      "join: a Job that came after the answer",
      ["success without a Job"],
      [
        ...job("k", { createdMs: 3_000 }),
        attempt("k", [2_900, 3_100]),
        attempt("l", [1_900, 2_500], named("joined", "k")),
      ],
      { policy: "join" },
    ],
    [
      "forbid: refused for one that had ended",
      ["named an ended Job"],
      [...ended, early, attempt("l", [2_001, 2_500], named("refused", "k"))],
      { policy: "forbid" },
    ],
    [
      "join: a Job that never was",
      ["success without a Job"],
      [attempt("l", [2_001, 2_500], named("joined", "k"))],
      { policy: "join" },
    ],
    [
      "join: the key's own",
      ["wrong Job"],
      [...made, first, attempt("k", [1_000, 2_000], named("joined", "k"))],
      { policy: "join" },
    ],
    [
      "join: joined after the key's success",
      ["forgotten"],
      [
        ...[...ended, ...job("l", { createdMs: 3_000 }), early, attempt("l", [2_900, 3_100])],
        attempt("k", [3_200, 3_300], named("joined", "l")),
      ],
      { policy: "join" },
    ],
    [
      "forbid: refused after the key's success",
      ["forgotten"],
      [
        ...[...ended, ...job("l", { createdMs: 3_000 }), early, attempt("l", [2_900, 3_100])],
        attempt("k", [3_200, 3_300], named("refused", "l")),
      ],
      { policy: "forbid" },
    ],
  ])("%s", expectRules);
});

describe("in the calm", () => {
  const calm: HistoryEntry = { kind: "calm", atMs: 1_000 };
  const inFlight = { ...failed(503, "in-flight"), detail: "Job sync-k was about to be created and is not there yet" };
  const before = written("k", "P", 990);
  const old = written("l", "P", 900);
  const oldIsOver = (atMs: number) => [written("m", "E", atMs, { slot: "l", state: "P", sinceMs: 0 })];
  const newIsOver = [written("l", "P", 2_100), written("m", "E", 3_950, { slot: "l", state: "P", sinceMs: 2_000 })];
  const next = (atMs: number) => written("k", "P", atMs);
  test.each<[string, string[], HistoryEntry[]]>([
    ["an API server that does not serve us", ["no calm"], [calm, ...failsOnce(failed(503, "api-unavailable"))]],
    ["an unknown outcome", ["no calm"], [calm, ...failsOnce(failed(504, "outcome-unknown"))]],
    ["silence", ["unexplained", "no calm"], [calm, ...failsOnce(failed(0))]],
    [
      "what only reads like a key in flight",
      ["no calm"],
      [before, calm, ...failsOnce({ ...inFlight, code: "api-unavailable" })],
    ],
    ["a key in flight that nobody reserved", ["no calm"], [calm, ...failsOnce(inFlight)]],
    ["one reserved in the calm", ["no calm"], [calm, written("k", "P", 2_000), ...failsOnce(inFlight, [2_100, 2_200])]],
    ["one that is no longer reserved", ["no calm"], [before, settledAt(999), calm, ...failsOnce(inFlight)]],
    ["another that is reserved", ["no calm"], [written("l", "P", 990), calm, ...failsOnce(inFlight)]],
    ["one that is done", ["no calm"], [written("k", "D", 990), calm, ...failsOnce(inFlight)]],
    ["one reserved 90 s before", ["no calm"], [before, calm, ...made, ...late(inFlight, 90_000)]],
    ["one reserved just before", [], [before, calm, ...failsOnce(inFlight)]],
    ["the next in line", [], [old, calm, ...oldIsOver(3_950), next(3_990), ...failsOnce(inFlight, [1_000, 4_000])]],
    [
      "next long after",
      ["no calm"],
      [old, calm, ...oldIsOver(2_999), next(3_990), ...failsOnce(inFlight, [1_000, 4_000])],
    ],
    [
      "one that was next before",
      ["no calm"],
      [old, calm, next(3_990), ...oldIsOver(3_996), ...failsOnce(inFlight, [3_995, 4_000])],
    ],
    ["next to one of the calm", ["no calm"], [calm, ...newIsOver, next(3_990), ...failsOnce(inFlight, [1_000, 4_000])]],
    ["one reserved almost 90 s before", [], [before, calm, ...made, ...late(inFlight, 89_999)]],
    ["what began before it", [], [{ ...calm, atMs: 1_001 }, ...failsOnce(failed(503, "api-unavailable"))]],
  ])("%s", expectRules);

  function settledAt(atMs: number): HistoryEntry {
    return written("k", "D", atMs, { slot: "k", state: "P", sinceMs: 0 });
  }

  function late(answer: Partial<typeof first>, startMs: number) {
    return [
      attempt("k", [startMs, startMs + 1], { ...answer, delivery: 1 }),
      attempt("k", [1_000, 2_000], { delivery: 1 }),
    ];
  }
});

function expectRules(_what: string, rules: string[], history: HistoryEntry[], promised: Partial<Promised> = {}): void {
  const { violations } = check(history, { policy: "allow", isRemembered: true, ...promised });
  expect(violations.map(({ rule }) => rule)).toEqual(rules);
}
