import { isTimeZone } from "./time-zone.ts";

interface Range {
  min: number;
  max: number;
  names?: readonly string[];
}

const months = ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const ranges: readonly Range[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];
const descriptors = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"].map(
  (name) => `@${name}`,
);
const duration = /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$|^[+-]?0$/;

/** What is wrong with a cron schedule, in the words of the parser that Kubernetes uses (robfig/cron); nothing if it is one. */
export function scheduleError(text: string): string | undefined {
  try {
    const zone = /^(?:CRON_)?TZ=(\S+)/.exec(text)?.[1];
    if (zone !== undefined && !isTimeZone(zone))
      throw new Error(`provided bad location ${zone}: unknown time zone ${zone}`);
    checkSchedule(text.replace(/^(CRON_)?TZ=\S+\s+/, ""));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checkSchedule(text: string): void {
  if (text.startsWith("@")) {
    checkDescriptor(text);
    return;
  }
  const fields = text.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== ranges.length) {
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  fields.forEach((field, i) => {
    // Go's FieldsFunc drops empty parts: "1,,2" is "1,2".
    for (const part of field.split(",").filter((each) => each !== "")) checkRange(part, ranges[i] as Range);
  });
}

function checkDescriptor(text: string): void {
  if (descriptors.includes(text)) return;
  if (!text.startsWith("@every ")) throw new Error(`unrecognized descriptor: ${text}`);
  const every = text.slice("@every ".length);
  if (!duration.test(every)) {
    throw new Error(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(every)}`);
  }
}

function checkRange(text: string, range: Range): void {
  const [span = "", step, more] = text.split("/");
  if (more !== undefined) throw new Error(`too many slashes: ${text}`);
  let [start, end] = [range.min, range.max];
  const [low = "", high, extra] = span.split("-");
  if (low !== "*" && low !== "?") {
    if (extra !== undefined) throw new Error(`too many hyphens: ${text}`);
    start = integerOrName(low, range);
    end = high !== undefined ? integerOrName(high, range) : step !== undefined ? range.max : start;
  }
  const stride = step === undefined ? 1 : integer(step);
  if (start < range.min) throw new Error(`beginning of range (${start}) below minimum (${range.min}): ${text}`);
  if (end > range.max) throw new Error(`end of range (${end}) above maximum (${range.max}): ${text}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (stride === 0) throw new Error(`step of range should be a positive number: ${text}`);
}

function integerOrName(text: string, { names }: Range): number {
  const index = names && text ? names.indexOf(text.toLowerCase()) : -1;
  return index >= 0 ? index : integer(text);
}

function integer(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const number = Number(text);
  if (Math.abs(number) > 2 ** 63) {
    throw new Error(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`,
    );
  }
  if (number < 0) throw new Error(`negative number (${number}) not allowed: ${text}`);
  return number;
}
