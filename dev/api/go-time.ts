/** One element of a time in RFC 3339, as Go's layout names it, and what matches it. */
type Element = readonly [layout: string, pattern: RegExp];

const untilSeconds: readonly Element[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}/],
];
const zone: Element = ["Z07:00", /^(Z|[+-]\d{2}:\d{2})/];
// Go takes any fraction after the seconds when the layout has none, and exactly the layout's digits when it has one.
const seconds: readonly Element[] = [...untilSeconds, ["", /^([.,]\d+)?/], zone];
const micros: readonly Element[] = [...untilSeconds, [".000000", /^[.,]\d{6}/], zone];

function matchAll(text: string, elements: readonly Element[]): void {
  let rest = text;
  for (const [layout, pattern] of elements) {
    const match = pattern.exec(rest);
    if (!match)
      throw new Error(
        `parsing time ${quote(text)} as "${layoutOf(elements)}": cannot parse ${quote(rest)} as "${layout}"`,
      );
    rest = rest.slice(match[0].length);
  }
  if (rest) throw new Error(`parsing time ${quote(text)}: extra text: ${quote(rest)}`);
  refuseOutOfRange(text);
}

function refuseOutOfRange(text: string): void {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(Number);
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const ranges: readonly [string, boolean][] = [
    ["month", month >= 1 && month <= 12],
    ["hour", hour < 24],
    ["minute", minute < 60],
    ["second", second < 60],
    ["day", day >= 1 && day <= daysInMonth],
  ];
  const out = ranges.find(([, isIn]) => !isIn);
  if (out) throw new Error(`parsing time ${quote(text)}: ${out[0]} out of range`);
}

/** The moment in milliseconds of a time that has been checked. */
const momentOf = (text: string) => Date.parse(text.replace(",", "."));

const quote = (text: string) => JSON.stringify(text);
const layoutOf = (elements: readonly Element[]) => elements.map(([layout]) => layout).join("");

/** Milliseconds since 1970 of an RFC 3339 time; throws in Go's words. */
export function parseTime(text: string): number {
  matchAll(text, seconds);
  return momentOf(text);
}

/** A metav1.Time as the server stores it: UTC, whole seconds. */
export function canonicalTime(text: string): string {
  return secondsTime(parseTime(text));
}

/** A metav1.MicroTime as the server stores it: UTC, six digits; fewer or more digits are refused. */
export function canonicalMicroTime(text: string): string {
  matchAll(text, micros);
  const fraction = /[.,](\d{6})/.exec(text)?.[1] ?? "";
  return secondsTime(momentOf(text)).replace("Z", `.${fraction}Z`);
}

/** A moment in milliseconds as metav1.Time prints it: UTC, whole seconds, cut. */
export function secondsTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
