import type { Case, Violation } from "./case.ts";

/** With `forbid` and `join` no two Jobs of this function are unfinished at the same time. */
export function checkOverlap({ lives, promised }: Case): Violation[] {
  if (promised.policy === "allow") return [];
  const made = lives.filter(({ keyDigest }) => keyDigest !== undefined);
  return made.flatMap((later, index) =>
    made
      .slice(0, index)
      .filter(({ endedRevision }) => endedRevision > later.createdRevision)
      .map((earlier) => ({
        rule: "overlap",
        detail: `Job ${later.name} (${later.uid}) was created while ${earlier.name} (${earlier.uid}) was unfinished`,
      })),
  );
}

/** Every Job is of a key that was sent before. */
export function checkUnexplainedJobs({ lives, attemptsOf }: Case): Violation[] {
  return lives
    .filter(({ keyDigest, seenAtMs }) => {
      const attempts = attemptsOf.get(keyDigest ?? "") ?? [];
      return !attempts.some(({ startMs }) => startMs <= seenAtMs);
    })
    .map(({ name, uid }) => ({ rule: "unexplained", detail: `nobody asked for Job ${name} (${uid})` }));
}
