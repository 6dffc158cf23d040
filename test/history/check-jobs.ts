import type { Case, Violation } from "./case.ts";

/** With `forbid` and `join` no two Jobs are unfinished at the same time. */
export function checkOverlap({ lives, promised }: Case): Violation[] {
  if (promised.policy === "allow") return [];
  return lives.flatMap((later, index) =>
    lives
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
    .filter(({ key, seenAtMs }) => {
      const attempts = attemptsOf.get(key ?? "") ?? [];
      return !attempts.some(({ startMs }) => startMs <= seenAtMs);
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
