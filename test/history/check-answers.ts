import { type Case, describe, policyOf, saysMade, type Violation } from "./case.ts";
import type { Attempt } from "./history.ts";

/** Every Job that an answer names existed when it was given, and was the one that the outcome says. */
export function checkAnswers(run: Case): Violation[] {
  return run.attempts.flatMap((attempt) => {
    const violation = saysMade(attempt, run.promised)
      ? checkMade(attempt, run)
      : attempt.outcome === "joined" || attempt.outcome === "refused"
        ? checkNamed(attempt, run)
        : undefined;
    return violation ? [{ ...violation, detail: `${describe(attempt)}: ${violation.detail}` }] : [];
  });
}

function checkMade(attempt: Attempt, { lifeOf, livesOf, promised }: Case): Violation | undefined {
  const { job, key, startMs, endMs } = attempt;
  const own = livesOf.get(key) ?? [];
  if (job?.uid) {
    const life = lifeOf.get(job.uid);
    if (!life) return { rule: "success without a Job", detail: `there was no ${job.uid}` };
    if (life.key !== key || life.name !== job.name) {
      return { rule: "wrong Job", detail: `Job ${life.name} (${job.uid}) is another key's` };
    }
    if (policyOf(life, promised) !== policyOf(attempt, promised)) {
      return { rule: "wrong Job", detail: `Job ${life.name} (${job.uid}) was made for another request` };
    }
  }
  const meant = own.filter(({ createdAtMs, uid }) => createdAtMs <= endMs && (!job?.uid || uid === job.uid));
  if (meant.length === 0) return { rule: "success without a Job", detail: "the key had no Job yet" };
  if (!promised.isRemembered && meant.every(({ removedAtMs }) => removedAtMs < startMs)) {
    return { rule: "known for too long", detail: "without a window, and the key's Job was gone before the request" };
  }
  if (job?.uid) return undefined;
  // An answer that names a Job without its uid says that the Job is gone.
  const isGone = own.some(
    ({ removedAtMs, removalSentAtMs }) =>
      removedAtMs !== Infinity && (removalSentAtMs === Infinity || removalSentAtMs <= endMs),
  );
  if (!job || isGone) return undefined;
  return { rule: "wrong Job", detail: `the answer has no uid although the key's Job ${own[0]?.uid} was there` };
}

/** With `join` and `forbid` the named Job was unfinished at some time within the request, and not the key's own. */
function checkNamed(attempt: Attempt, { lifeOf, promised }: Case): Violation | undefined {
  const { job, key, startMs, endMs, outcome } = attempt;
  const policy = policyOf(attempt, promised);
  if (policy !== (outcome === "joined" ? "join" : "forbid")) {
    return { rule: "wrong outcome", detail: `the request was under ${policy}` };
  }
  const life = job?.uid ? lifeOf.get(job.uid) : undefined;
  if (!life || life.createdAtMs > endMs) {
    return { rule: "success without a Job", detail: `there was no Job ${job?.uid ?? "named"}` };
  }
  if (life.endedAtMs < startMs) {
    return { rule: "named an ended Job", detail: `Job ${life.uid} had ended ${startMs - life.endedAtMs} ms before` };
  }
  if (life.key === key) return { rule: "wrong Job", detail: `Job ${life.uid} is the key's own` };
  return undefined;
}
