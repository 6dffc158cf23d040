import { type Case, describe, isFinal, type Violation } from "./case.ts";
import type { Attempt } from "./history.ts";

/** So long a reservation stands in others' way, whatever became of its maker (the contract). */
const reservationMs = 90_000;

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

function isReservedBefore({ startMs, detail }: Attempt, { spansOf, calmMs }: Case): boolean {
  const slot = detail?.match(/^Job \S+-(\w+) /)?.[1] ?? "";
  const spans = spansOf.get(slot) ?? [];
  return spans.some(
    ({ state, sinceMs, untilMs }) =>
      state === "P" && sinceMs <= calmMs && startMs <= untilMs && startMs - sinceMs < reservationMs,
  );
}
