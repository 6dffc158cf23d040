import { type Case, policyOf, slotOf, type Violation } from "./case.ts";
import type { Attempt } from "./history.ts";
import type { JobLife } from "./job-lives.ts";

/**
 * No Job that was made under `forbid` or `join` is created while another is unfinished. One of `allow` may come at any
 * time, so it counts only if it was there when the record reserved the other's key, which is when that was decided.
 */
export function checkOverlap(run: Case): Violation[] {
  const isFree = (life: JobLife) => policyOf(life, run.promised) === "allow";
  return run.lives.flatMap((later, index) => {
    if (isFree(later)) return [];
    const decidedRevision = reservedRevision(later, run);
    return run.lives
      .slice(0, index)
      .filter(({ endedRevision }) => endedRevision > later.createdRevision)
      .filter((earlier) => !isFree(earlier) || earlier.createdRevision < decidedRevision)
      .map((earlier) => ({
        rule: "overlap",
        detail: `Job ${later.name} (${later.uid}) was created while ${earlier.name} (${earlier.uid}) was unfinished`,
      }));
  });
}

/** The last version of the record that reserved a Job's key before it was created; without one its creation. */
function reservedRevision(life: JobLife, { spansOf }: Case): number {
  const spans = spansOf.get(slotOf(life)) ?? [];
  const reserved = spans.findLast(({ state, fromRevision }) => state === "P" && fromRevision < life.createdRevision);
  return reserved?.fromRevision ?? life.createdRevision;
}

/** Every Job is of a request that was sent before, and that was not told that it gets none. */
export function checkUnexplainedJobs({ lives, attemptsOf, promised }: Case): Violation[] {
  const isRefused = ({ outcome }: Attempt) => outcome === "joined" || outcome === "refused";
  return lives
    .filter((life) => {
      const attempts = attemptsOf.get(life.key ?? "") ?? [];
      const isMaker = (attempt: Attempt) =>
        attempt.startMs <= life.seenAtMs &&
        policyOf(attempt, promised) === policyOf(life, promised) &&
        !isRefused(attempt);
      return !attempts.some(isMaker);
    })
    .map(({ name, uid }) => ({ rule: "unexplained", detail: `nobody asked for Job ${name} (${uid})` }));
}

/** A key has one digest and a digest one key. */
export function checkDigests({ lives }: Case): Violation[] {
  const known = lives.filter(({ key }) => key !== undefined);
  const report = (what: string, found: Set<string | undefined>) =>
    found.size > 1 || found.has(undefined)
      ? [{ rule: "digest", detail: `${what}: ${[...found].map((one) => one ?? "none").join(", ")}` }]
      : [];
  return [
    ...[...Map.groupBy(known, ({ key }) => key)].flatMap(([key, own]) =>
      report(`digests of key ${key}`, new Set(own.map(({ keyDigest }) => keyDigest))),
    ),
    ...[...Map.groupBy(known, ({ keyDigest }) => keyDigest)].flatMap(([digest, own]) =>
      report(`keys of digest ${digest}`, new Set(own.map(({ key }) => key))),
    ),
  ];
}
