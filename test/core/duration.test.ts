import { expect, it } from "vitest";
import { durationForm, parseDurationMs } from "../../functions/core/duration.ts";

it.each([
  ["0s", 0],
  ["1s", 1_000],
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["26h", 93_600_000],
  ["7d", 604_800_000],
  ["1h30m", 5_400_000],
  ["1d1h1m1s", 90_061_000],
  ["30m1h", 5_400_000],
  ["007s", 7_000],
])("%s is %i ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

it.each([
  "",
  "1",
  "h",
  "1.5h",
  "-1h",
  "+1h",
  "1 h",
  "1H",
  "1ms",
  "1w",
  "P1D",
  "1h ",
  "\n1h",
  "1h-",
  "١h",
  "1234567890s",
])("%j is no duration", (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});

it("takes every duration that its own message gives as an example", () => {
  const examples = [...durationForm.matchAll(/"([^"]+)"/g)].map(([, example = ""]) => example);
  expect(examples.length).toBeGreaterThan(3);
  expect(examples.filter((example) => parseDurationMs(example) === undefined)).toEqual([]);
});
