import { Fault } from "../errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import type { Cause } from "./outcome.ts";
import type { OverlapPolicy } from "./request.ts";

/** What a trigger does while the CronJob is suspended. */
export const suspendedPolicies = ["allow", "skip", "reject"] as const;
export type SuspendedPolicy = (typeof suspendedPolicies)[number];

/** A decision not to run, with its reason in words and its cause. */
export type Verdict = { outcome: "skipped" | "refused"; reason: string; cause: Cause };

/** Decides by the CronJob alone whether a run is wanted; undefined: it is. */
export function decideByCronJob(
  cronJob: JsonObject,
  {
    suspended,
    ifOlderThanMs,
    nowMs,
  }: { suspended: SuspendedPolicy; ifOlderThanMs?: number | undefined; nowMs: number },
): Verdict | undefined {
  const { spec, status } = cronJob;
  if (suspended !== "allow" && isJsonObject(spec) && spec.suspend === true) {
    const outcome = suspended === "skip" ? "skipped" : "refused";
    return { outcome, reason: "the CronJob is suspended", cause: "suspended" };
  }
  return decideBySuccess(isJsonObject(status) ? status.lastSuccessfulTime : undefined, { ifOlderThanMs, nowMs });
}

/** Decides by the time of a success, ISO 8601; undefined: a run is wanted. */
export function decideBySuccess(
  time: unknown,
  { ifOlderThanMs, nowMs }: { ifOlderThanMs?: number | undefined; nowMs: number },
): Verdict | undefined {
  if (ifOlderThanMs === undefined || typeof time !== "string") return undefined;
  if (nowMs - Date.parse(time) >= ifOlderThanMs) return undefined;
  const reason = `the CronJob succeeded at ${time}, which is more recent than asked for`;
  return { outcome: "skipped", reason, cause: "recent-success" };
}

/** The policy that `inherit` stands for; a Fault for Replace, which cannot be promised without a right to delete. */
export function resolveOverlap(policy: OverlapPolicy, cronJob: JsonObject): "allow" | "forbid" | "join" | Fault {
  if (policy !== "inherit") return policy;
  const own = isJsonObject(cronJob.spec) ? cronJob.spec.concurrencyPolicy : undefined;
  if (own === "Forbid") return "forbid";
  if (own !== "Replace") return "allow";
  return new Fault(
    "invalid-field",
    'onOverlap: the CronJob\'s own policy is Replace, which this function does not do: it may not delete Jobs, and a pod can outlive its request; use "allow", "forbid" or "join"',
  );
}

/** Names of the scheduled Jobs that the CronJob's status calls active. */
export function activeJobNames({ status }: JsonObject): string[] {
  const active = isJsonObject(status) && Array.isArray(status.active) ? status.active : [];
  return active.filter(isJsonObject).flatMap(({ name }) => (typeof name === "string" ? [name] : []));
}

/** Whether a Job has ended: Complete or Failed, which come only after its last pod (kubernetes 1.31 and newer). */
export function hasEnded(job: JsonObject): boolean {
  return isTrue(job, "Complete") || isTrue(job, "Failed");
}

/** When a Job succeeded, ISO 8601: the CronJob's status follows a moment later. undefined: it did not. */
export function successTime(job: JsonObject): unknown {
  return isJsonObject(job.status) && isTrue(job, "Complete") ? job.status.completionTime : undefined;
}

function isTrue({ status }: JsonObject, condition: "Complete" | "Failed"): boolean {
  const conditions = isJsonObject(status) && Array.isArray(status.conditions) ? status.conditions : [];
  return conditions.filter(isJsonObject).some(({ type, status: value }) => type === condition && value === "True");
}
