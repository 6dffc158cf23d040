import { setTimeout as pause } from "node:timers/promises";
import { endOf, type Job, toJob } from "../core/workload.ts";
import { ApiError, isPassing } from "../kubernetes/api-error.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { untilAborted } from "../until-aborted.ts";

/** How a wait ended: the finished Job as last seen, or undefined when it was gone without having ended. */
type End = Job | undefined;

type Watch = { job: Job; end: Promise<End>; tell(job: Job): void; waiters: number; controller: AbortController };

/** Longer than any wait, so that most watches end because their waiters did. */
const watchTimeoutS = 30;
/** For the API server to end a watch: one whose connection went dead would else never be renewed. */
const graceMs = 5_000;
const pauseMs = 500;

/** Waits for the ends of Jobs. All who wait for the same Job share one watch, which ends when the last one leaves. */
export type EndWatcher = {
  /**
   * Waits until a Job ends or is gone; rejects with the signal's reason, or with an ApiError that waiting cannot mend.
   */
  untilEnd(job: Job, signal: AbortSignal): Promise<End>;
  /** Tells those who wait for a Job, if anybody does, what somebody else has seen: it may have ended. */
  tellOf(job: Job): void;
  /** The Job of this name that somebody waits for, as it was when the first one came: it has not ended since. */
  findWatched(name: string): Job | undefined;
};

export function createEndWatcher(cluster: Pick<Cluster, "getJob" | "watchJob">): EndWatcher {
  const watches = new Map<string, Watch>();

  function begin(job: Job): Watch {
    const controller = new AbortController();
    const told = Promise.withResolvers<Job>();
    const end = Promise.race([told.promise, followJob(cluster, job, controller.signal)]);
    const watch = { job, controller, waiters: 0, end, tell: told.resolve };
    const forget = () => {
      if (watches.get(job.metadata.uid) === watch) watches.delete(job.metadata.uid);
    };
    watch.end.then(forget, forget); // nobody may be left to see it fail
    controller.signal.addEventListener("abort", forget);
    watches.set(job.metadata.uid, watch);
    return watch;
  }

  return {
    async untilEnd(job, signal) {
      const watch = watches.get(job.metadata.uid) ?? begin(job);
      watch.waiters += 1;
      try {
        return await untilAborted(watch.end, signal);
      } finally {
        watch.waiters -= 1;
        if (watch.waiters === 0) watch.controller.abort();
      }
    },
    tellOf(job) {
      if (endOf(job)) watches.get(job.metadata.uid)?.tell(job);
    },
    findWatched(name) {
      return watches.values().find(({ job }) => job.metadata.name === name)?.job;
    },
  };
}

/** Watches, and looks and watches again whenever a watch ends or breaks, until the Job ends or is gone. */
async function followJob(cluster: Pick<Cluster, "getJob" | "watchJob">, job: Job, signal: AbortSignal): Promise<End> {
  const { name, uid } = job.metadata;
  let { resourceVersion } = job.metadata;
  for (;;) {
    try {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(watchTimeoutS * 1_000 + graceMs)]);
      const events = await cluster.watchJob(name, { resourceVersion, timeoutS: watchTimeoutS }, { signal: inTime });
      for await (const { type, object } of events) {
        if (type === "ERROR") break; // 410: the version is too old by now
        const seen = toJob(object);
        if (seen.metadata.uid !== uid) return undefined;
        if (endOf(seen)) return seen;
        if (type === "DELETED") return undefined;
        resourceVersion = seen.metadata.resourceVersion;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError && !isPassing(error.failure) && error.failure.status !== 410) throw error;
    }
    await pause(pauseMs, undefined, { signal });
    const seen = await cluster.getJob(name, { signal }).catch((error) => {
      if (error instanceof ApiError && error.failure.status === 404) return undefined;
      if (error instanceof ApiError && isPassing(error.failure)) return job;
      throw error;
    });
    if (!seen) return undefined;
    const now = toJob(seen as never);
    if (now.metadata.uid !== uid) return undefined;
    if (endOf(now)) return now;
    resourceVersion = now.metadata.resourceVersion;
  }
}
