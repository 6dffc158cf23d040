import * as z from "zod/mini";
import { jobListSchema, jobViewSchema } from "../core/job-view.ts";
import { syncRequestSchema } from "../core/request.ts";
import type { FaultCode } from "../errors.ts";
import { logQuerySchema } from "../jobs/log-request.ts";
import { listQuerySchema } from "./job-handlers.ts";

export type Parameters = z.ZodMiniObject;

/** A header of an answer; `required`: it is always there. */
export type Header = { description: string; required?: true };

/** What the OpenAPI document says of a route. */
export type Operation = {
  id: string;
  summary: string;
  description?: string;
  parameters?: { path?: Parameters; query?: Parameters; header?: Parameters };
  /** By media type. */
  body?: Record<string, z.ZodMiniType>;
  answers: Record<
    string,
    { description: string; headers?: Record<string, Header>; content?: Record<string, z.ZodMiniType> }
  >;
  faults: readonly FaultCode[];
};

const json = (schema: z.ZodMiniType) => ({ "application/json": schema });
const described = <T extends z.ZodMiniType>(schema: T, description: string): T => schema.check(z.describe(description));
function named<T extends z.ZodMiniType>(id: string, schema: T): T {
  z.globalRegistry.add(schema, { id });
  return schema;
}

const jobRefSchema = named(
  "JobRef",
  z.strictObject({
    name: z.string(),
    namespace: z.string(),
    uid: described(z.nullable(z.string()), "null: the Job was made and is gone"),
    createdAt: z.nullable(z.string()),
  }),
);

const triggerAnswerSchema = named(
  "TriggerAnswer",
  z.strictObject({
    outcome: z.enum(["created", "duplicate", "joined", "skipped"]),
    reason: z.optional(z.string()),
    job: z.nullable(jobRefSchema),
    links: z.strictObject({ job: z.optional(z.string()), logs: z.optional(z.string()) }),
  }),
);

/** The data of an event about an outcome. */
const outcomeEventSchema = named(
  "OutcomeEvent",
  z.strictObject({
    outcome: z.enum(["created", "duplicate", "joined", "skipped", "refused"]),
    reason: z.optional(z.string()),
    job: z.nullable(jobRefSchema),
    key: z
      .strictObject({ kind: z.enum(["event", "ping"]), parts: z.array(z.string()) })
      .check(z.describe("Source and id of the event; of a ping its source and minute.")),
    keyDigest: z.string().check(z.describe("SHA-256 of the key, as in the Job's annotation.")),
    event: z.strictObject({ source: z.string(), id: z.string(), type: z.string() }),
  }),
);

// Referred to by every error.
named(
  "Problem",
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: described(z.string(), "The request id, which the log line has too."),
    outcome: z.optional(z.string()),
    job: z.optional(z.nullable(jobRefSchema)),
  }),
);

const requestSchema = named("SyncRequest", syncRequestSchema);
const eventSchema = named(
  "CloudEvent",
  z.looseObject({ specversion: z.literal("1.0"), id: z.string(), source: z.string(), type: z.string() }),
);

/** What any route but the probes can answer. */
const common = [
  "malformed-request",
  "headers-too-large",
  "unauthenticated",
  "not-allowed",
  "overloaded",
  "shutting-down",
  "api-unavailable", // who is calling cannot be checked
] as const;
const internal = "internal-error" as const;
const reading = [...common, "invalid-field", "component-missing", "api-refused", internal] as const;
const triggering = [
  ...common,
  "malformed-event",
  "cronjob-not-found",
  "body-too-large",
  "unsupported-media-type",
  "invalid-field",
  "key-reused",
  "api-refused",
  "foreign-job",
  "policy-missing",
  "quota-conflict",
  "in-flight",
  "record-full",
  internal,
  "outcome-unknown",
] as const;

const jobName = z.object({ name: described(z.string(), "A Job's name, or `latest` for the newest.") });
const probe = {
  answers: { 200: { description: "ok", content: json(z.strictObject({ status: z.literal("ok") })) } },
  faults: ["malformed-request", "headers-too-large"],
} as const satisfies Partial<Operation>;
const always = (description: string): Header => ({ description, required: true });
const sometimes = (description: string): Header => ({ description });
const eventHeaders = {
  "ce-specversion": "1.0",
  "ce-id": "That of the event that is answered, and the outcome.",
  "ce-source": "The CronJob's path at the API server.",
  "ce-type": "internal.sync-trigger.OUTCOME.v1",
  "ce-time": "When it was answered.",
};
/** Headers of an event in binary mode. */
function eventHeadersOf(toHeader: (description: string) => Header): Record<string, Header> {
  const headers = Object.entries(eventHeaders).map(([name, description]) => [name, toHeader(description)]);
  return { ...Object.fromEntries(headers), "ce-subject": sometimes("The Job's name.") };
}
const notStored = { "Cache-Control": always("no-store") };
const events = {
  body: { "application/cloudevents+json": eventSchema },
  answers: {
    200: {
      description: "The outcome as an event in binary mode (REPLY_EVENTS=on).",
      headers: eventHeadersOf(always),
      content: json(outcomeEventSchema),
    },
    202: { description: "An event was taken. No body: a Broker would count one as a failed delivery." },
  },
} as const satisfies Partial<Operation>;

/** Every route by method and path. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /health/liveness": { id: "getLiveness", summary: "Whether the process lives", ...probe },
  "GET /health/readiness": { id: "getReadiness", summary: "Whether it takes requests", ...probe },
  "POST /trigger-sync": {
    id: "triggerSync",
    summary: "Run the CronJob now",
    description: "Plain HTTP, or a CloudEvent 1.0 in binary or structured mode.",
    parameters: {
      header: z.object({
        "Idempotency-Key": described(
          z.optional(z.string()),
          "The same key never makes a second Job; 1 to 255 characters.",
        ),
      }),
    },
    body: { ...json(requestSchema), ...events.body },
    answers: {
      ...events.answers,
      200: {
        description: "How it ended. To an event, with REPLY_EVENTS=on: the same as an event in binary mode.",
        headers: {
          Location: sometimes("The Job's path, where there is a Job."),
          "Idempotency-Replayed": sometimes("true where the key had its Job before."),
          ...eventHeadersOf(sometimes),
        },
        content: json(z.union([triggerAnswerSchema, outcomeEventSchema])),
      },
    },
    faults: [...triggering, "refused"],
  },
  "POST /": {
    id: "receiveEvent",
    summary: "Run the CronJob now, for event senders that know only a host",
    ...events,
    faults: [...triggering, "not-an-event"],
  },
  "GET /jobs": {
    id: "listJobs",
    summary: "The CronJob's newest Jobs, manual and scheduled, newest first",
    parameters: { query: listQuerySchema },
    answers: { 200: { description: "The Jobs.", headers: notStored, content: json(jobListSchema) } },
    faults: reading,
  },
  "GET /jobs/:name": {
    id: "getJob",
    summary: "How a Job stands",
    parameters: {
      path: jobName,
      header: z.object({
        Prefer: described(
          z.optional(z.string()),
          "`wait=N` (RFC 7240): answer when the Job ends, or after N seconds, at most 25.",
        ),
      }),
    },
    answers: {
      200: {
        description: "The Job.",
        headers: {
          ...notStored,
          Vary: always("Prefer"),
          "Content-Location": always("The Job's own path."),
          "Preference-Applied": sometimes("`wait=N` as it was applied."),
        },
        content: json(jobViewSchema),
      },
    },
    faults: [...reading, "job-not-found"],
  },
  "GET /jobs/:name/logs": {
    id: "getJobLogs",
    summary: "The log of a Job, as it is written",
    description:
      "A log that ends before its Job does says so in its last line, which begins with `--- sync-trigger:` and has the path that goes on.",
    parameters: { path: jobName, query: logQuerySchema },
    answers: {
      200: {
        description: "The log.",
        headers: {
          ...notStored,
          "Content-Location": always("The log's own path."),
          "X-Content-Type-Options": always("nosniff"),
        },
        content: { "text/plain": z.string() },
      },
    },
    faults: [...reading, "job-not-found", "no-log-yet", "no-log"],
  },
  "GET /metrics": {
    id: "getMetrics",
    summary: "Metrics for Prometheus",
    answers: { 200: { description: "Text exposition.", content: { "text/plain": z.string() } } },
    faults: [...common, internal],
  },
  "GET /openapi.json": {
    id: "getOpenApi",
    summary: "This document",
    answers: { 200: { description: "OpenAPI 3.1.", content: json(z.looseObject({ openapi: z.string() })) } },
    faults: [...common, internal],
  },
};
