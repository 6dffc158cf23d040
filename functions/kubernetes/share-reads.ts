import { shareRuns } from "../share-runs.ts";
import { ApiError } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { reportNoAnswer } from "./read-answer.ts";
import { NoAnswer } from "./transport.ts";

/**
 * The same cluster, but triggers that come together share a read of the CronJob. None gets one that began before it
 * asked: a change that somebody made before a trigger is in that trigger's Job.
 */
export function shareCronJobReads<Calls extends Pick<Cluster, "getCronJob">>(cluster: Calls): Calls {
  const read = shareRuns((_key, signal) => cluster.getCronJob({ signal }));
  return {
    ...cluster,
    getCronJob: ({ signal }) =>
      read("", signal).catch((error) => {
        if (error instanceof ApiError || !signal.aborted) throw error;
        return reportNoAnswer("getCronJob")(new NoAnswer(false, error)); // our time is over; the others go on
      }),
  };
}
