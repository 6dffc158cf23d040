import { expect, it } from "vitest";
import { parseTimestampMs } from "../../functions/core/timestamp.ts";

it.each([
  ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
  ["2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"],
  ["2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05.678Z"],
  ["2026-01-02T03:04:05.123456789123Z", "2026-01-02T03:04:05.123Z"],
  ["2026-01-02T03:04:05+02:30", "2026-01-02T00:34:05.000Z"],
  ["2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.000Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"],
  ["2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.500Z"],
])("%s is %s", (text, instant) => {
  expect(new Date(parseTimestampMs(text) ?? Number.NaN).toISOString()).toBe(instant);
});

it.each([
  ["a word", "yesterday"],
  ["nothing", ""],
  ["a date alone", "2026-01-02"],
  ["no offset", "2026-01-02T03:04:05"],
  ["no seconds", "2026-01-02T03:04Z"],
  ["a space for the T", "2026-01-02 03:04:05Z"],
  ["30 February", "2026-02-30T00:00:00Z"],
  ["29 February of another year", "2026-02-29T00:00:00Z"],
  ["31 April", "2026-04-31T00:00:00Z"],
  ["month 13", "2026-13-01T00:00:00Z"],
  ["day 0", "2026-01-00T00:00:00Z"],
  ["hour 24", "2026-01-01T24:00:00Z"],
  ["minute 60", "2026-01-01T00:60:00Z"],
  ["second 61", "2016-12-31T23:59:61Z"],
  ["an offset of a day", "2026-01-01T00:00:00+24:00"],
  ["an offset without a colon", "2026-01-01T00:00:00+0200"],
  ["a fraction without digits", "2026-01-01T00:00:00.Z"],
  ["a year of five digits", "12026-01-01T00:00:00Z"],
  ["something behind it", "2026-01-01T00:00:00Z "],
])("%s is no timestamp: %j", (_what, text) => {
  expect(parseTimestampMs(text)).toBeUndefined();
});
