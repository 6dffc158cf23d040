import type { JsonObject } from "../../functions/core/json.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { endedByHand } from "../support/end-job.ts";

/** How the Jobs of a run behave: never end, end when the run says so, or run the example's pod for two seconds. */
export type JobKind = "idle" | "written" | "pods";

/** The CronJob of a run; its schedule never fires. */
export function historyCronJob(name: string, kind: JobKind, image: string): JsonObject {
  const cronJob = kind === "idle" ? idleCronJob(name) : syncCronJob(name, image, { SYNC_SECONDS: "1" });
  const spec = cronJob.spec as JsonObject & { jobTemplate: { spec: JsonObject } };
  Object.assign(spec, { suspend: true, successfulJobsHistoryLimit: 10_000, failedJobsHistoryLimit: 10_000 });
  if (kind === "written") Object.assign(spec.jobTemplate.spec, endedByHand);
  return cronJob;
}
