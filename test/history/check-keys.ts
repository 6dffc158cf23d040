import { type Case, describe, isFinal, policyOf, saysMade, slotOf, type Violation } from "./case.ts";
import type { Attempt } from "./history.ts";
import type { JobLife } from "./job-lives.ts";

/** The one documented hole: the first Job was removed before anybody could write that it had been made. */
export const rerunName = "rerun after removal before done";

/** Per key at most one Job; further ones that the documented hole explains are told apart. */
export function checkDoubled(run: Case): { violations: Violation[]; reruns: string[] } {
  const violations: Violation[] = [];
  const reruns: string[] = [];
  for (const [key, lives] of run.livesOf) {
    for (const [index, later] of lives.entries()) {
      const earlier = lives[index - 1];
      if (!earlier) continue;
      const isNewName = earlier.name !== later.name;
      const detail = `key ${key}: Jobs ${earlier.uid} and ${later.uid}${isNewName ? "" : ` of ${later.name}`}`;
      const isGone = earlier.removedAtMs !== Infinity && !isNewName;
      // Without a window a key is free again once its Job is gone.
      if (isGone && !run.promised.isRemembered) continue;
      if (isGone && isUnwritten(earlier, later, run)) reruns.push(detail);
      else violations.push({ rule: "doubled", detail });
    }
  }
  return { violations, reruns };
}

/**
 * Whether the key's first Job was never written down as made: it was reserved in the record before it was there, no
 * version of the record had it as done or ended before the second one was created, and nobody was ever told of it, or
 * before the second one that the key had a Job.
 */
function isUnwritten(earlier: JobLife, later: JobLife, { spansOf, attemptsOf, promised }: Case): boolean {
  const spans = spansOf.get(slotOf(earlier)) ?? [];
  const isReserved = spans.some(({ state, fromRevision }) => state === "P" && fromRevision < earlier.createdRevision);
  const isWritten = spans.some(({ state, fromRevision }) => state !== "P" && fromRevision < later.createdRevision);
  const told = (attemptsOf.get(later.key ?? "") ?? []).filter((attempt) => saysMade(attempt, promised));
  const isTold = ({ job, endMs }: Attempt) =>
    job?.uid === earlier.uid || (job?.uid !== later.uid && endMs < later.createdAtMs);
  return isReserved && !isWritten && !told.some(isTold);
}

/** A key that was answered with its Job is a duplicate from then on: no policy is asked again. */
export function checkForgotten({ attemptsOf, promised }: Case): Violation[] {
  if (!promised.isRemembered) return [];
  return [...attemptsOf.values()].flatMap((attempts) => {
    const told = attempts.filter((attempt) => saysMade(attempt, promised));
    const knownFromMs = Math.min(...told.map(({ endMs }) => endMs));
    const forgetful = attempts.filter(
      ({ startMs, status, outcome }) =>
        startMs > knownFromMs && isFinal(status) && outcome !== undefined && outcome !== "duplicate",
    );
    return forgetful.map((attempt) => ({
      rule: "forgotten",
      detail: `${describe(attempt)} came after the key's success`,
    }));
  });
}

/** Every delivery ends with an answer that nobody repeats, and every key sent under `allow` has had a Job. */
export function checkMissing({ attempts, attemptsOf, livesOf, promised }: Case): Violation[] {
  const lastOf = new Map(attempts.map((attempt) => [attempt.delivery, attempt]));
  const open = [...lastOf.values()].filter(({ status }) => !isFinal(status));
  const jobless = [...attemptsOf].filter(
    ([key, own]) => !livesOf.has(key) && own.some((attempt) => policyOf(attempt, promised) === "allow"),
  );
  return [
    ...open.map((attempt) => ({
      rule: "missing",
      detail: `delivery ${attempt.delivery} ended with ${describe(attempt)}`,
    })),
    ...jobless.map(([key]) => ({ rule: "missing", detail: `key ${key} never had a Job` })),
  ];
}
