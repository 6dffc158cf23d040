import { secondsTime } from "../api/go-time.ts";
import type { Condition, Job } from "../api/objects.ts";

/** A condition of a Job, true or false since now. */
export function newCondition(type: string, status: "True" | "False", reason: string, message: string): Condition {
  const now = secondsTime(Date.now());
  return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** The condition of that type, if it is true. */
export const trueCondition = (job: Job, type: string) =>
  job.status.conditions?.find((condition) => condition.type === type && condition.status === "True");

/** Whether a Job has ended, and how. */
export function finishedAs(job: Job): "Complete" | "Failed" | undefined {
  if (trueCondition(job, "Complete")) return "Complete";
  return trueCondition(job, "Failed") ? "Failed" : undefined;
}

/** The conditions with one set; unchanged if it is so already, or if it was never true and now is not. */
export function ensureCondition(conditions: readonly Condition[], condition: Condition): readonly Condition[] {
  const found = conditions.find(({ type }) => type === condition.type);
  if (!found) return condition.status === "True" ? [...conditions, condition] : conditions;
  const { status, reason, message } = condition;
  if (found.status === status && found.reason === reason && found.message === message) return conditions;
  return conditions.map((each) => (each === found ? condition : each));
}
