const form = /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60))(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/**
 * Milliseconds since the epoch of an RFC 3339 timestamp; undefined when the text is none. A leap second counts as the
 * second before it, which Date.parse would call no time at all.
 */
export function parseTimestampMs(text: string): number | undefined {
  const [, date, time, fraction, offset] = form.exec(text) ?? [];
  if (!date || !time || !offset) return undefined;
  // Date.parse takes 30 February for 1 March: the day must come back as it went in.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date)) return undefined;
  const timeMs = Date.parse(`${date}T${time.replace(/:60$/, ":59")}${fraction ?? ""}${offset.toUpperCase()}`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
