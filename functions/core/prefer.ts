import { headerValues, type RawHeaders } from "./headers.ts";

const preference = /\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?[^,]*(?:,|$)/y;

/**
 * Seconds of the preference `wait` (RFC 7240, section 4.3), at most `mostS`; undefined without one. The first one
 * counts, and what cannot be understood is passed over, as section 2 demands.
 */
export function preferredWaitS(rawHeaders: RawHeaders, mostS: number): number | undefined {
  const header = headerValues(rawHeaders, "prefer").join(",");
  preference.lastIndex = 0;
  while (preference.lastIndex < header.length) {
    const [, name, value = ""] = preference.exec(header) ?? [];
    if (name === undefined) return undefined;
    if (name.toLowerCase() === "wait") {
      const seconds = value.replaceAll('"', "");
      return /^\d+$/.test(seconds) ? Math.min(Number(seconds), mostS) : undefined;
    }
  }
  return undefined;
}
