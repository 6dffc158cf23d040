import { shareRuns } from "../share-runs.ts";
import { ApiError } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { reportNoAnswer } from "./read-answer.ts";
import { NoAnswer } from "./transport.ts";

/**
 * The same cluster, but those who read the same object at the same time share the read: triggers that come together the
 * CronJob, and those who wait for another's Job that Job. None gets a read that began before it asked: a change that
 * somebody made before a trigger is in that trigger's Job.
 */
export function shareReads<Calls extends Pick<Cluster, "getCronJob" | "getJob">>(cluster: Calls): Calls {
  const readCronJob = shareRuns((_key, signal) => cluster.getCronJob({ signal }));
  const readJob = shareRuns((name, signal) => cluster.getJob(name, { signal }));
  return {
    ...cluster,
    getCronJob: ({ signal }) => readCronJob("", signal).catch(reportLeaver("getCronJob", signal)),
    getJob: (name, { signal }) => readJob(name, signal).catch(reportLeaver("getJob", signal)),
  };
}

/** For `.catch`: whose time is over gets the ApiError of a call without an answer, while the read goes on for the others. */
function reportLeaver(call: keyof Cluster, signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    if (error instanceof ApiError || !signal.aborted) throw error;
    return reportNoAnswer(call)(new NoAnswer(false, error));
  };
}
