import { describe, expect, test } from "vitest";
import { activeJobNames, decideByCronJob, hasEnded, resolveOverlap } from "../../functions/core/decide.ts";
import type { JsonObject } from "../../functions/core/json.ts";

const nowMs = Date.parse("2026-11-23T21:00:00Z");
const hourMs = 3_600_000;
const succeeded = (lastSuccessfulTime: string): JsonObject => ({ spec: {}, status: { lastSuccessfulTime } });

describe("by the CronJob alone", () => {
  test.each([
    ["allow", undefined],
    ["skip", "skipped"],
    ["reject", "refused"],
  ] as const)("a suspended one under %s is %s", (suspended, outcome) => {
    expect(decideByCronJob({ spec: { suspend: true } }, { suspended, nowMs })?.outcome).toBe(outcome);
    expect(decideByCronJob({ spec: { suspend: false } }, { suspended, nowMs })).toBeUndefined();
    expect(decideByCronJob({}, { suspended, nowMs })).toBeUndefined();
  });

  test.each([
    ["an hour ago, 26 h asked", "2026-11-23T20:00:00Z", 26 * hourMs, "skipped"],
    ["exactly as long ago as asked", "2026-11-23T20:00:00Z", hourMs, undefined],
    ["longer ago", "2026-11-22T20:00:00Z", hourMs, undefined],
    ["by a clock ahead of ours", "2026-11-23T21:00:05Z", hourMs, "skipped"],
  ])("a success %s: %4$s", (_what, at, ifOlderThanMs, outcome) => {
    const verdict = decideByCronJob(succeeded(at), { suspended: "allow", ifOlderThanMs, nowMs });
    expect(verdict?.outcome).toBe(outcome);
    if (verdict) expect(verdict.reason).toContain(at);
  });

  test("one that never succeeded runs, whatever is asked", () => {
    for (const cronJob of [{}, { status: {} }]) {
      expect(decideByCronJob(cronJob, { suspended: "allow", ifOlderThanMs: hourMs, nowMs })).toBeUndefined();
    }
  });
});

describe("inherit", () => {
  test.each([
    ["Allow", "allow"],
    ["Forbid", "forbid"],
    [undefined, "allow"],
  ])("is the CronJob's own %s: %s", (concurrencyPolicy, expected) => {
    const spec: JsonObject = concurrencyPolicy === undefined ? {} : { concurrencyPolicy };
    expect(resolveOverlap("inherit", { spec })).toBe(expected);
  });

  test("refuses Replace, and other policies do not ask the CronJob", () => {
    const refusal = resolveOverlap("inherit", { spec: { concurrencyPolicy: "Replace" } });
    expect(refusal).toMatchObject({ code: "invalid-field", message: expect.stringContaining("Replace") });
    expect(resolveOverlap("join", { spec: { concurrencyPolicy: "Replace" } })).toBe("join");
  });
});

test("scheduled Jobs are those that the status calls active", () => {
  expect(activeJobNames({ status: { active: [{ name: "a" }, { name: "b" }, {}, "c"] } })).toEqual(["a", "b"]);
  expect(activeJobNames({})).toEqual([]);
});

test.each([
  ["Complete", "True", true],
  ["Failed", "True", true],
  ["Failed", "False", false],
  ["FailureTarget", "True", false],
  ["SuccessCriteriaMet", "True", false],
  ["Suspended", "True", false],
])("a Job with condition %s %s: ended is %s", (type, status, expected) => {
  expect(hasEnded({ status: { conditions: [{ type, status }] } })).toBe(expected);
});

test("a Job without conditions has not ended", () => {
  expect(hasEnded({})).toBe(false);
  expect(hasEnded({ status: {} })).toBe(false);
});
