/** One element of a time in RFC 3339, as Go's layout names it, and what matches it. */
type Element = readonly [layout: string, pattern: RegExp];

const untilSeconds: readonly Element[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^(0[1-9]|1[0-2])/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^([01]\d|2[0-3])/],
  [":", /^:/],
  ["04", /^[0-5]\d/],
  [":", /^:/],
  ["05", /^[0-5]\d/],
];
const zone: Element = ["Z07:00", /^(Z|[+-]\d{2}:\d{2})/];
// Go takes any fraction after the seconds when the layout has none, and exactly the layout's digits when it has one.
const seconds: readonly Element[] = [...untilSeconds, ["", /^([.,]\d+)?/], zone];
const micros: readonly Element[] = [...untilSeconds, [".000000", /^\.\d{6}(?!\d)/], zone];

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
}

const quote = (text: string) => JSON.stringify(text);
const layoutOf = (elements: readonly Element[]) => elements.map(([layout]) => layout).join("");

/** Milliseconds since 1970 of an RFC 3339 time; throws in Go's words. */
export function parseTime(text: string): number {
  matchAll(text, seconds);
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Error(`parsing time ${quote(text)}: day out of range`);
  return ms;
}

/** A metav1.Time as the server stores it: UTC, whole seconds. */
export function canonicalTime(text: string): string {
  return secondsTime(parseTime(text));
}

/** A metav1.MicroTime as the server stores it: UTC, six digits; fewer or more digits are refused. */
export function canonicalMicroTime(text: string): string {
  matchAll(text, micros);
  const fraction = /\.\d{6}/.exec(text)?.[0] ?? "";
  return secondsTime(Date.parse(text)).replace("Z", `${fraction}Z`);
}

/** A moment in milliseconds as metav1.Time prints it: UTC, whole seconds, cut. */
export function secondsTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
