import { type Promised, toCase, type Violation } from "./case.ts";
import { checkAnswers } from "./check-answers.ts";
import { checkCalm } from "./check-calm.ts";
import { checkFailures } from "./check-failures.ts";
import { checkDigests, checkOverlap, checkUnexplainedJobs } from "./check-jobs.ts";
import { checkDoubled, checkForgotten, checkMissing, rerunName } from "./check-keys.ts";
import type { HistoryEntry } from "./history.ts";

/** What a history comes to: empty `violations` means that every promise was kept. */
export type Verdict = {
  violations: Violation[];
  /** How often what happened; the documented hole by its name. */
  counts: Record<string, number>;
};

/** Checks a history against what was promised. Pure. */
export function check(history: readonly HistoryEntry[], promised: Promised): Verdict {
  const run = toCase(history, promised);
  const doubled = checkDoubled(run);
  const violations = [
    ...doubled.violations,
    ...checkAnswers(run),
    ...checkOverlap(run),
    ...checkForgotten(run),
    ...checkMissing(run),
    ...checkUnexplainedJobs(run),
    ...checkDigests(run),
    ...checkFailures(run),
    ...checkCalm(run),
  ];
  const answers = run.attempts.map(({ status, outcome, code }) =>
    status === 0 ? "no answer" : [status, outcome ?? code].filter(Boolean).join(" "),
  );
  const deeds = history.flatMap((entry) =>
    entry.kind === "process" || entry.kind === "api-server" ? [`${entry.kind} ${entry.change}`] : [],
  );
  return {
    violations,
    counts: {
      deliveries: new Set(run.attempts.map(({ delivery }) => delivery)).size,
      requests: run.attempts.length,
      keys: run.attemptsOf.size,
      Jobs: run.lives.length,
      removed: run.lives.filter(({ removedAtMs }) => removedAtMs !== Infinity).length,
      "in gaps of the watch": history.filter((entry) => entry.kind === "job" && entry.change === "vanished").length,
      "versions of the record": history.filter(({ kind }) => kind === "record").length,
      "requests in the calm": run.attempts.filter(({ startMs }) => startMs >= run.calmMs).length,
      [rerunName]: doubled.reruns.length,
      ...tally(answers),
      ...tally(deeds),
    },
  };
}

function tally(names: string[]): Record<string, number> {
  const counts = Object.entries(Object.groupBy(names, (name) => name));
  return Object.fromEntries(counts.sort().map(([name, all]) => [name, all?.length ?? 0]));
}
