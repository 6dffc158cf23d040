import type { HistoryEntry, RecordLine } from "./history.ts";

/** A line of the record, from when the watch saw the version that brought it until it saw it go (Infinity: it stayed). */
export type Span = RecordLine & { fromRevision: number; fromMs: number; untilMs: number };

/** Every line that the record ever had, by slot. */
export function toSpans(history: readonly HistoryEntry[]): Map<string, Span[]> {
  const spans: Span[] = [];
  const isSame = (a: RecordLine, b: RecordLine) => a.slot === b.slot && a.state === b.state && a.sinceMs === b.sinceMs;
  for (const { atMs, revision, added, removed } of history.filter((entry) => entry.kind === "record")) {
    for (const line of removed) {
      const span = spans.findLast((one) => one.untilMs === Infinity && isSame(one, line));
      if (span) span.untilMs = atMs;
    }
    spans.push(...added.map((line) => ({ ...line, fromRevision: revision, fromMs: atMs, untilMs: Infinity })));
  }
  return Map.groupBy(spans, ({ slot }) => slot);
}
