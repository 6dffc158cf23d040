import * as z from "zod/mini";
import { readAnnotation } from "./job-from-cronjob.ts";
import { jobState } from "./job-state.ts";
import type { JsonObject } from "./json.ts";
import type { Job, Pod } from "./workload.ts";

const time = z.iso.datetime();

const text = z.optional(z.string());
const described = <T extends z.ZodMiniType>(schema: T, description: string): T => schema.check(z.describe(description));

/** A step of SYNC_STEPS: "unknown" is all that can be said of one that the part of the log read does not show. */
const stepSchema = z
  .strictObject({
    name: z.string(),
    state: z.enum(["seen", "unknown"]),
    line: described(text, "The first line that shows the step, at most 1024 characters of it."),
    at: described(z.optional(time), "When that line was written."),
  })
  .register(z.globalRegistry, { id: "Step" });

/** A Job as the routes under /jobs show it. */
export const jobViewSchema = z
  .strictObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    origin: z.enum(["manual", "scheduled"]),
    state: described(
      z.enum(["queued", "running", "succeeded", "failed"]),
      "queued: suspended, or no container has started yet; the reason says which.",
    ),
    reason: described(text, "Why it waits or failed, in a word of Kubernetes'."),
    message: described(text, "The same as a sentence."),
    exitCode: described(z.optional(z.int()), "Of the container that made the Job fail."),
    createdAt: time,
    startedAt: z.optional(time),
    finishedAt: z.optional(time),
    durationMs: z.optional(z.int().check(z.minimum(0))),
    via: described(text, "How a manual run was asked for: http, event or ping."),
    requestedReason: described(text, "Why, as the request said."),
    requestedBy: described(text, "By whom, where callers are known."),
    steps: described(z.optional(z.array(stepSchema)), "Of SYNC_STEPS, when one Job is asked for."),
    lastLines: described(
      z.optional(z.array(z.string())),
      "The end of the log of a failed Job, when one Job is asked for.",
    ),
  })
  .register(z.globalRegistry, { id: "Job" });

export const jobListSchema = z
  .strictObject({ jobs: z.array(jobViewSchema) })
  .register(z.globalRegistry, { id: "JobList" });

export type Step = z.infer<typeof stepSchema>;
export type JobView = z.infer<typeof jobViewSchema>;

/** The annotation that the CronJob controller, and nobody else, puts on its Jobs (Kubernetes 1.28 and newer). */
const scheduledAt = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** A Job as answers show it; without `pods` as far as its own fields tell. */
export function toJobView(job: Job, pods: Pod[] | undefined, nowMs: number): JobView {
  const { name, namespace, uid, creationTimestamp, annotations } = job.metadata;
  const { state, reason, message, exitCode, ...times } = jobState(job, pods, nowMs);
  const annotation = (of: Parameters<typeof readAnnotation>[1]) => readAnnotation(job as unknown as JsonObject, of);
  return dropUndefined({
    name,
    namespace,
    uid,
    origin: annotations?.[scheduledAt] === undefined ? "manual" : "scheduled",
    state,
    reason,
    message,
    exitCode,
    createdAt: creationTimestamp,
    ...times,
    via: annotation("via"),
    requestedReason: annotation("reason"),
    requestedBy: annotation("requestedBy"),
  });
}

function dropUndefined<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
