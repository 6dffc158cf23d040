import type { JsonObject } from "../../functions/core/json.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";

/** How the Jobs of a run behave: never end, end when the run says so, or run the example's pod for two seconds. */
export type JobKind = "idle" | "written" | "pods";

/** The CronJob of a run; its schedule never fires. */
export function historyCronJob(name: string, kind: JobKind, image: string): JsonObject {
  const cronJob = kind === "idle" ? idleCronJob(name) : syncCronJob(name, image, { SYNC_SECONDS: "1" });
  const spec = cronJob.spec as JsonObject & { jobTemplate: { spec: JsonObject } };
  Object.assign(spec, { suspend: true, successfulJobsHistoryLimit: 10_000, failedJobsHistoryLimit: 10_000 });
  // The Job controller leaves such a Job alone: no pod, and its status is ours to write.
  if (kind === "written") spec.jobTemplate.spec.managedBy = "sync-trigger.test/history";
  return cronJob;
}
