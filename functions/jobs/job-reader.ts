import { type JobView, toJobView } from "../core/job-view.ts";
import { endOf, type Job } from "../core/workload.ts";
import { Fault } from "../errors.ts";
import { toApiFault } from "../kubernetes/report-api-errors.ts";
import { shareRuns } from "../share-runs.ts";
import { type JobsContext, type Run, readRun } from "./read-run.ts";
import { createLogScanner } from "./scan-log.ts";
import { createEndWatcher } from "./wait-for-end.ts";

/** Looks at Jobs of our CronJob; those who look at the same Job at the same time share the work. Each throws a Fault. */
export type JobReader = {
  /** A Job and its pods. */
  readRun(name: string, signal: AbortSignal): Promise<Run>;
  /** A Job with its state, steps and, if it failed, last lines. */
  look(name: string, signal: AbortSignal): Promise<JobView>;
  /** The same as soon as the Job has ended or `enough` is aborted. */
  waitAndLook(name: string, enough: AbortSignal, signal: AbortSignal): Promise<JobView>;
};

/** What is left of a wait for the last look; where it takes longer, what was seen before is the answer. */
export const lookMarginMs = 500;

export function createJobReader(context: JobsContext): JobReader {
  const scanner = createLogScanner(context.cluster, context.config.syncSteps ?? []);
  const watcher = createEndWatcher(context.cluster);
  /** How the Jobs that are waited for stood at the newest look: what is told when the last look takes too long. */
  const lastViews = new WeakMap<Job, JobView>();
  const read = shareRuns((name, signal) => readRun(context, name, signal));
  const look = shareRuns(async (name, signal) => {
    const run = await read(name, signal);
    watcher.tellOf(run.job); // a watch may have gone dead
    const view = await describe(run, signal);
    lastViews.set(watcher.findWatched(name) ?? run.job, view);
    return { job: run.job, view };
  });

  /** What a wait begins with. A Job that others wait for is there and has not ended: no look is needed to know that. */
  const lookUnlessWatched = shareRuns(async (name, signal) => {
    const watched = watcher.findWatched(name);
    const view = watched && lastViews.get(watched);
    return watched && view ? { job: watched, view } : look(name, signal);
  });

  async function describe(run: Run, signal: AbortSignal): Promise<JobView> {
    const view = toJobView(run.job, run.pods, Date.now());
    // At the same time: a kubelet that does not answer costs one deadline and not two.
    const [steps, lastLines] = await Promise.all([
      scanner.findSteps(run, signal),
      view.state === "failed" ? scanner.readLastLines(run, signal) : undefined,
    ]);
    return { ...view, ...(steps ? { steps } : {}), ...(lastLines ? { lastLines } : {}) };
  }

  /** The Job as it ended; undefined when the wait was over first. */
  async function waitForEnd(job: Job, enough: AbortSignal, signal: AbortSignal): Promise<Job | undefined> {
    try {
      return await watcher.untilEnd(job, AbortSignal.any([enough, signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (enough.aborted) return undefined;
      throw toApiFault(error);
    }
  }

  return {
    readRun: read,
    look: async (name, signal) => (await look(name, signal)).view,
    async waitAndLook(name, enough, signal) {
      const first = await lookUnlessWatched(name, signal);
      if (endOf(first.job) || enough.aborted) return first.view;
      const ended = await waitForEnd(first.job, enough, signal);
      const fallback = ended
        ? await describe({ job: ended, pods: [] }, signal)
        : (lastViews.get(first.job) ?? first.view);
      const soon = AbortSignal.any([signal, marginAfter(enough)]);
      try {
        return (await look(name, soon)).view;
      } catch (error) {
        // History limits and TTLs can remove a Job the moment it ends; who waited for the end has seen it all the same.
        const isToldAnyway = ended && error instanceof Fault && /^(job-not-found|api-unavailable)$/.test(error.code);
        if (!signal.aborted && (soon.aborted || isToldAnyway)) return fallback;
        throw error;
      }
    },
  };
}

/** Aborted `lookMarginMs` after another signal. */
function marginAfter(enough: AbortSignal): AbortSignal {
  if (enough.aborted) return AbortSignal.timeout(lookMarginMs);
  const late = new AbortController();
  enough.addEventListener("abort", () => setTimeout(() => late.abort(), lookMarginMs).unref(), { once: true });
  return late.signal;
}
