import { describe, expect, test } from "vitest";
import { canonicalMicroTime, canonicalTime } from "../../dev/api/go-time.ts";
import { parseLabelSelector } from "../../dev/api/label-selector.ts";
import { canonicalQuantity } from "../../dev/api/quantity.ts";
import { scheduleError } from "../../dev/api/schedule.ts";
import { isTimeZone } from "../../dev/api/time-zone.ts";
import { nanoTime } from "../../dev/node/clock.ts";
import { createLogFormatter } from "../../dev/node/format-log.ts";
import { expandVariables } from "../../dev/node/process-spec.ts";
import { prettyLogLine } from "../../dev/run/pretty-log.ts";

// Each expected value was answered by kube-apiserver 1.36.3.

test.each([
  ["1", "1"],
  ["0.5", "500m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["1024Mi", "1Gi"],
  ["1023Mi", "1023Mi"],
  ["1.5Gi", "1536Mi"],
  ["0.5Ki", "512"],
  ["1048576Ki", "1Gi"],
  ["1000M", "1G"],
  ["1e3", "1e3"],
  ["0.0001", "1m"],
  ["1n", "1m"],
  ["0Ki", "0"],
  ["-1", "-1"],
])("the quantity %s is stored as %s", (given, stored) => {
  expect(canonicalQuantity(given)).toBe(stored);
});

test.each(["", "much", "1KiB", "1_000", "1x"])("%j is no quantity", (given) => {
  expect(() => canonicalQuantity(given)).toThrow("quantities must match the regular expression");
});

test.each([
  ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
  ["2026-01-02T03:04:05.999+01:30", "2026-01-02T01:34:05Z"],
])("the time %s is stored as %s", (given, stored) => {
  expect(canonicalTime(given)).toBe(stored);
});

test.each([
  ["2026-01-01T00:00:00.123456+05:30", "2025-12-31T18:30:00.123456Z"],
  ["2026-01-01T00:00:00,000001Z", "2026-01-01T00:00:00.000001Z"],
])("the time of a Lease %s is stored as %s", (given, stored) => {
  expect(canonicalMicroTime(given)).toBe(stored);
});

test.each([
  ["2026-01-01T02:00:00.123Z", 'cannot parse ".123Z" as ".000000"'],
  ["2026-01-01T02:00:00.1234567Z", 'cannot parse "7Z" as "Z07:00"'],
  ["2026-01-01 02:00:00.000000Z", 'cannot parse " 02:00:00.000000Z" as "T"'],
  ["2026-13-01T00:00:00.000000Z", "month out of range"],
  ["2026-02-30T00:00:00.000000Z", "day out of range"],
  ["2026-01-01T24:00:00.000000Z", "hour out of range"],
  ["2026-01-01T00:00:00.000000Zx", 'extra text: "x"'],
])("the time of a Lease %s is refused: %s", (given, message) => {
  expect(() => canonicalMicroTime(given)).toThrow(message);
});

test.each([
  ["*/15 0-23/2 ? JAN-MAR mon", undefined],
  ["1,,2 * * * *", undefined],
  ["@every 1h30m", undefined],
  ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
  ["61 * * * *", "end of range (61) above maximum (59): 61"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["1/2/3 * * * *", "too many slashes: 1/2/3"],
  ["@reboot", "unrecognized descriptor: @reboot"],
])("the schedule %s: %s", (schedule, error) => {
  expect(scheduleError(schedule)).toBe(error);
});

test.each([
  ["Europe/Zurich", true],
  ["UTC", true],
  ["Asia/Calcutta", true],
  ["utc", false],
  ["europe/zurich", false],
  ["Mars/Olympus", false],
])("the time zone %s: %s", (name, isOne) => {
  expect(isTimeZone(name)).toBe(isOne);
});

describe("a label selector", () => {
  const labels = { app: "a", t: "2", empty: "" };
  test.each([
    ["", true],
    ["app=a", true],
    ["app==a,t!=1", true],
    ["app!=a", false],
    ["other!=a", true],
    ["app in (b, a)", true],
    ["app notin (a)", false],
    ["other notin (a)", true],
    ["app", true],
    ["!app", false],
    ["empty=", true],
    ["app=", false],
    ["t>1,t<3", true],
    ["other>1", false],
  ])("%j matches: %s", (selector, matches) => {
    expect(parseLabelSelector(selector)(labels)).toBe(matches);
  });

  test.each([
    ["=", "found '=', expected: !, identifier, or 'end of string'"],
    ["a=b=c", "found '=', expected: ',' or 'end of string'"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a,", "found '', expected: identifier after ','"],
  ])("%j is refused: %s", (selector, message) => {
    expect(() => parseLabelSelector(selector)).toThrow(message);
  });
});

test.each([
  ["$(A)", "1"],
  ["$(A)$(B)", "1$(B)"],
  ["$$(A) $$", "$(A) $"],
  ["$A", "$A"],
])("a command's %s becomes %s", (text, expanded) => {
  expect(expandVariables(text, { A: "1" })).toBe(expanded);
});

test("a time in nanoseconds has nine digits", () => {
  expect(nanoTime(1_767_225_600_000_000_007n)).toBe("2026-01-01T00:00:00.000000007Z");
});

describe("a log that is given out", () => {
  const file = [
    "2026-01-01T00:00:00.000000001Z stdout F one",
    "2026-01-01T00:00:01.000000001Z stderr P tw",
    "2026-01-01T00:00:01.000000002Z stderr F o",
    "2026-01-01T00:00:02.000000001Z stdout F ",
    "",
  ].join("\n");
  test.each([
    ["as it is", {}, "one\ntwo\n\n"],
    [
      "with times",
      { timestamps: true },
      "2026-01-01T00:00:00.000000001Z one\n2026-01-01T00:00:01.000000001Z two\n2026-01-01T00:00:02.000000001Z \n",
    ],
    ["from a time on", { sinceMs: Date.parse("2026-01-01T00:00:01Z") }, "two\n\n"],
    ["to a number of bytes", { limitBytes: 5 }, "one\nt"],
  ])("comes %s", (_how, options, text) => {
    const { output, isFull } = createLogFormatter({ timestamps: false, ...options })(Buffer.from(file));
    expect(output.toString()).toBe(text);
    expect(isFull).toBe("limitBytes" in options);
  });
});

test.each([
  [
    "a line of the function",
    '{"level":"info","time":"2026-01-01T12:34:56.789Z","port":8080,"msg":"listening"}',
    "12:34:56 info listening port=8080",
  ],
  [
    "an error",
    '{"level":"error","time":"2026-01-01T12:34:56.789Z","err":{"stack":"Error: x\\n    at y"},"msg":"oh"}',
    "12:34:56 error oh \nError: x\n    at y",
  ],
  ["what is no JSON", "node:internal/x", "node:internal/x"],
  ["JSON that is no object", "[1]", "[1]"],
])("%s is shown for people", (_what, line, shown) => {
  expect(prettyLogLine(line)).toBe(shown);
});
