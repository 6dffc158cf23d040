import * as z from "zod/mini";
import { Fault } from "../errors.ts";
import { durationForm, parseDurationMs } from "./duration.ts";

// Messages in English; no schema is compiled by `new Function`, which the first request would wait for.
z.config({ ...z.locales.en(), jitless: true });

/** What to do while a Job of this CronJob is unfinished. */
export const overlapPolicies = ["allow", "forbid", "join", "inherit"] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** A request to sync, the same through both doors (plain HTTP body, event data). */
export const syncRequestSchema = z.strictObject({
  /** Why, in a person's words: kept in the Job's annotations. */
  reason: z.optional(z.string().check(z.maxLength(256))),
  /** Overrides the setting OVERLAP_POLICY for this request. */
  onOverlap: z.optional(z.enum(overlapPolicies)),
  /** Run only when the CronJob's last success is older than this duration. */
  ifOlderThan: z.optional(
    z.string().check(z.refine((text) => parseDurationMs(text) !== undefined, { message: `expected ${durationForm}` })),
  ),
});

export type SyncRequest = z.infer<typeof syncRequestSchema>;

/** Checks a JSON value against the schema. Throws 422 naming each field that is unknown or wrong. */
export function parseSyncRequest(value: unknown): SyncRequest {
  const { success, data, error } = syncRequestSchema.safeParse(value);
  if (success) return data;
  throw new Fault("invalid-field", error.issues.map(describeIssue).join("; "));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 64)));
    return `unknown field ${names.join(", ")}; allowed: ${Object.keys(syncRequestSchema.shape).join(", ")}`;
  }
  return `${issue.path.length > 0 ? issue.path.join(".") : "the request"}: ${issue.message}`;
}
