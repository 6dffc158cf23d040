import { type Case, describe, isFinal, saysMade, type Violation } from "./case.ts";
import type { Attempt } from "./history.ts";
import type { JobLife } from "./job-lives.ts";

/** The one documented hole: the first Job was removed before anybody could write that it had been made. */
export const rerunName = "rerun after removal before done";

/** Per key at most one Job; further ones that the documented hole explains are told apart. */
export function checkDoubled({ livesOf, attemptsOf, promised }: Case): { violations: Violation[]; reruns: string[] } {
  const violations: Violation[] = [];
  const reruns: string[] = [];
  for (const [digest, lives] of livesOf) {
    const attempts = attemptsOf.get(digest) ?? [];
    for (const [index, later] of lives.entries()) {
      const earlier = lives[index - 1];
      if (!earlier) continue;
      const isNewName = earlier.name !== later.name;
      const detail = `key ${attempts[0]?.key ?? digest}: Jobs ${earlier.uid} and ${later.uid}${isNewName ? "" : ` of ${later.name}`}`;
      const isGone = earlier.removedAtMs !== Infinity && !isNewName;
      if (isGone && isUnwritten(earlier, later, attempts, promised)) reruns.push(detail);
      else if (!isGone || promised.isRemembered) violations.push({ rule: "doubled", detail });
    }
  }
  return { violations, reruns };
}

/**
 * Whether the history shows that the key's first Job was never written down as made: somebody had asked before it was
 * there (and died, or went without success, or tried again), and nobody was ever told of it, or before the second one
 * that the key had a Job.
 */
function isUnwritten(earlier: JobLife, later: JobLife, attempts: Attempt[], promised: Case["promised"]): boolean {
  const isAsked = attempts.some(({ startMs }) => startMs <= earlier.seenAtMs);
  const told = attempts.filter((attempt) => saysMade(attempt, promised));
  const isTold = ({ job, endMs }: Attempt) =>
    job?.uid === earlier.uid || (job?.uid !== later.uid && endMs < later.createdAtMs);
  return isAsked && !told.some(isTold);
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

/** Every delivery ends with an answer that nobody repeats, and under `allow` every key has had a Job. */
export function checkMissing({ attempts, attemptsOf, livesOf, promised }: Case): Violation[] {
  const lastOf = new Map(attempts.map((attempt) => [attempt.delivery, attempt]));
  const open = [...lastOf.values()].filter(({ status }) => !isFinal(status));
  const jobless = [...attemptsOf].filter(([digest]) => promised.policy === "allow" && !livesOf.has(digest));
  return [
    ...open.map((attempt) => ({
      rule: "missing",
      detail: `delivery ${attempt.delivery} ended with ${describe(attempt)}`,
    })),
    ...jobless.map(([, [attempt]]) => ({ rule: "missing", detail: `key ${attempt?.key} never had a Job` })),
  ];
}
