import { jobFromCronJob } from "../../../functions/core/job-from-cronjob.ts";
import { jobName } from "../../../functions/core/job-name.ts";
import type { JsonObject } from "../../../functions/core/json.ts";
import { keyDigest } from "../../../functions/core/key.ts";

/** What the function would post for a stored CronJob, each time for a new key. */
export function cloneOf(cronJob: JsonObject): JsonObject {
  const { name, namespace } = cronJob.metadata as { name: string; namespace: string };
  const digest = keyDigest({ namespace, name }, { kind: "http", parts: [crypto.randomUUID()] });
  return jobFromCronJob(cronJob, jobName(name, digest), {
    keyDigest: digest,
    requestDigest: digest,
    via: "http",
    traceparent: "00-0-0-00",
  });
}
