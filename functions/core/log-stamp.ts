import { parseTimestampMs } from "./timestamp.ts";

/** Nanoseconds since the epoch of an RFC 3339 timestamp, as precise as log lines are; undefined when the text is none. */
export function parseStampNs(text: string): bigint | undefined {
  const [whole, fraction = ""] = /\.(\d+)/.exec(text) ?? [""];
  const wholeMs = parseTimestampMs(text.replace(whole, ""));
  if (wholeMs === undefined) return undefined;
  return BigInt(wholeMs) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** The second that holds this time, as the API server takes it: it cuts fractions off before kubelet sees them. */
export function toStampSecond(ns: bigint): string {
  return new Date(Number(ns / 1_000_000_000n) * 1_000).toISOString().replace(".000Z", "Z");
}
