import { type Case, describe, isFinal, type Violation } from "./case.ts";
import type { Attempt } from "./history.ts";
import type { Span } from "./record-spans.ts";

/** So long a reservation stands in others' way, whatever became of its maker (the contract). */
const reservationMs = 90_000;
/** Those who wait for such a reservation come one after the other when it is over, and each takes its moment. */
const inLineMs = 1_000;

/**
 * Once nothing goes wrong any more, requests are answered for good, but for a while those that meet what a dead maker
 * reserved before. (Who is still overloaded from before, checkFailures knows.)
 */
export function checkCalm(run: Case): Violation[] {
  return run.attempts
    .filter(
      (attempt) =>
        attempt.startMs >= run.calmMs &&
        !isFinal(attempt.status) &&
        attempt.code !== "overloaded" &&
        !(attempt.code === "in-flight" && isReservedBefore(attempt, run)),
    )
    .map((attempt) => ({
      rule: "no calm",
      detail: `${describe(attempt)} began ${attempt.startMs - run.calmMs} ms after the last fault`,
    }));
}

/**
 * Whether what was in flight was reserved before the calm, or else its time was over just before the request's patience
 * was, and the next in line, which the answer names, had come in between.
 */
function isReservedBefore({ startMs, endMs, detail }: Attempt, { spansOf, calmMs }: Case): boolean {
  const slot = detail?.match(/^Job \S+-(\w+) /)?.[1] ?? "";
  const named = spansOf.get(slot) ?? [];
  const isOld = ({ state, sinceMs, untilMs }: Span) =>
    state === "P" && sinceMs <= calmMs && startMs <= untilMs && startMs - sinceMs < reservationMs;
  if (named.some(isOld)) return true;
  const isNext = named.some(({ state, fromMs }) => state === "P" && fromMs >= startMs && fromMs <= endMs);
  return isNext && [...spansOf.values()].flat().some((span) => isOld(span) && endMs - span.untilMs <= inLineMs);
}
