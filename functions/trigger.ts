import type { Config } from "./config.ts";
import { decideByCronJob, decideBySuccess, resolveOverlap, successTime } from "./core/decide.ts";
import { parseDurationMs } from "./core/duration.ts";
import { jobFromCronJob } from "./core/job-from-cronjob.ts";
import { jobName, keySlot } from "./core/job-name.ts";
import type { JsonObject } from "./core/json.ts";
import { type Key, keyDigest, requestDigest } from "./core/key.ts";
import type { JobRef, Made, Outcome } from "./core/outcome.ts";
import { toEntryRequest } from "./core/record.ts";
import type { SyncRequest } from "./core/request.ts";
import { createOnce } from "./create-once.ts";
import { createRecorded } from "./create-recorded.ts";
import { Fault } from "./errors.ts";
import { findKnown, findRemembered, type KnownKeyOptions, toDuplicate } from "./find-known.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { reportApiErrors } from "./kubernetes/report-api-errors.ts";
import type { PolicyCanary } from "./policy-canary.ts";
import type { RecordStore } from "./record-store.ts";
import type { RunAnnouncer } from "./run-announcer.ts";

/** A trigger as a door hands it over: decoded, checked and with its key. */
export type TriggerInput = {
  key: Key;
  request: SyncRequest;
  via: "http" | "event" | "ping";
  traceparent: string;
  /** The verified subject; undefined when authentication is off. */
  requestedBy?: string | undefined;
  /** How much of the trigger's time is over already, ms: the API server may have had a part in the authentication. */
  spentMs?: number;
  event?: { source: string; id: string; type: string };
};

/** What a trigger works with. */
export type TriggerContext = {
  cluster: Cluster;
  /** The CronJob's namespace. */
  namespace: string;
  /** The record of keys; undefined when no setting asks for it. */
  records: RecordStore | undefined;
  policyCanary: PolicyCanary;
  /** undefined: runs are not told of (KUBERNETES_EVENTS=off). */
  announcer: RunAnnouncer | undefined;
  config: Pick<
    Config,
    | "cronJobName"
    | "replyEvents"
    | "overlapPolicy"
    | "suspendedPolicy"
    | "dedupeWindowMs"
    | "dedupeMaxKeys"
    | "triggerTimeoutMs"
  >;
};

/** Takes facts for the request's log line. */
type Note = (facts: Record<string, unknown>) => void;

/** What a request comes to before Kubernetes is asked. */
type Plan = ReturnType<typeof toPlan>;

/**
 * Runs the CronJob once for this key, if the policies let it: look the key up, read the CronJob, decide, build the Job,
 * create it, remember it. A known key is a duplicate before any policy is asked, so that a redelivery never meets its
 * own run. Ends within `triggerTimeoutMs`, less what is spent, whatever the API server does. Throws a Fault.
 */
export async function trigger(input: TriggerInput, context: TriggerContext, note: Note): Promise<Outcome> {
  const plan = toPlan(input, context);
  note({ via: input.via, keyDigest: plan.keyDigest });
  // Not AbortSignal.timeout: its timer would keep what a trigger holds until the time is over, whenever the answer came.
  const timeoutMs = Math.max(context.config.triggerTimeoutMs - (input.spentMs ?? 0), 0);
  const late = new AbortController();
  const endTime = () => late.abort(new DOMException("the time for this trigger is over", "TimeoutError"));
  const timer = setTimeout(endTime, Math.ceil(timeoutMs));
  const answered = Promise.withResolvers<void>();
  const limits = { signal: late.signal, timeoutMs, answered: answered.promise };
  const outcome = await run(plan, input, context, limits).finally(() => {
    clearTimeout(timer);
    answered.resolve();
  });
  const { job } = outcome;
  const why = "reason" in outcome ? { why: outcome.reason, cause: outcome.cause } : {};
  note({ outcome: outcome.outcome, job: job?.name, ...why });
  return outcome;
}

type Limits = { signal: AbortSignal; timeoutMs: number; answered: Promise<void> };

async function run(plan: Plan, input: TriggerInput, context: TriggerContext, limits: Limits): Promise<Outcome> {
  const { signal, timeoutMs, answered } = limits;
  const { cluster, namespace, records, config } = context;
  const isLate = deadline(timeoutMs);

  const windowMs = config.dedupeWindowMs ?? 0;
  const maker = spanOf(input.traceparent);
  const key: KnownKeyOptions = {
    ...{ cluster, records, namespace, windowMs, maker, signal },
    ...{ name: plan.name, slot: plan.slot, request: plan.entryRequest },
  };
  const remembered = await findRemembered(key);
  if (remembered) return remembered;

  const readCronJob = () =>
    cluster
      .getCronJob({ signal })
      .catch(reportApiErrors({ missing: `CronJob ${namespace}/${config.cronJobName} does not exist` }));
  const cronJobReadAtMs = performance.now();
  const cronJob = await readCronJob();
  await context.policyCanary.beforeTrigger(cronJob, signal, answered);
  const job = buildJob(cronJob, plan, input);
  const known = () => findKnown(job, key);
  const overlap = resolveOverlap(plan.onOverlap, cronJob);
  if (overlap instanceof Fault) return (await known()) ?? raise(overlap);
  const when = { ifOlderThanMs: plan.ifOlderThanMs, nowMs: Date.now() };
  const judgeCronJob = (current: JsonObject) =>
    decideByCronJob(current, { suspended: config.suspendedPolicy, ...when });
  const verdict = judgeCronJob(cronJob);
  if (verdict) return (await known()) ?? { ...verdict, job: null };

  if (!records) {
    // Of all policies only what inherit stands for can be another one when a key comes again.
    const before = overlap !== "allow" && plan.onOverlap === "inherit" ? await known() : undefined;
    if (before) return before;
    if (overlap !== "allow") throw recordNeeded(overlap);
    return announce(await createOnce(cluster, job, signal, { isLate }), job, context);
  }
  const result = await createRecorded({
    ...{ cluster, records, job, cronJobName: config.cronJobName, signal, isLate },
    ...{ cronJob, cronJobReadAtMs, readCronJob, judgeCronJob },
    ...{ slot: plan.slot, request: plan.entryRequest, exclusive: overlap !== "allow" },
    judge: (ended) => decideBySuccess(successTime(ended), when),
    ...{ windowMs, maxKeys: config.dedupeMaxKeys, maker },
  });
  if ("outcome" in result) return announce(result, job, context);
  if (result.kind === "known") return toDuplicate(result.entry, key);
  if (result.kind === "needless") return (await known()) ?? { ...result.verdict, job: null };
  return (await known()) ?? toOverlapOutcome(overlap, result.job);
}

function toPlan({ key, request }: TriggerInput, { namespace, config }: TriggerContext) {
  const onOverlap = request.onOverlap ?? config.overlapPolicy;
  const ifOlderThanMs = request.ifOlderThan === undefined ? undefined : parseDurationMs(request.ifOlderThan);
  const digests = {
    keyDigest: keyDigest({ namespace, name: config.cronJobName }, key),
    requestDigest: requestDigest({ onOverlap, ifOlderThanMs }),
  };
  return {
    ...digests,
    onOverlap,
    ifOlderThanMs,
    slot: keySlot(digests.keyDigest),
    name: jobName(config.cronJobName, digests.keyDigest),
    entryRequest: toEntryRequest(digests.requestDigest),
  };
}

function buildJob(cronJob: JsonObject, plan: Plan, input: TriggerInput): JsonObject {
  const { event, request, via, traceparent, requestedBy } = input;
  return jobFromCronJob(cronJob, plan.name, {
    ...{
      keyDigest: plan.keyDigest,
      requestDigest: plan.requestDigest,
      via,
      traceparent,
      requestedBy,
      reason: request.reason,
    },
    ...{ eventSource: event?.source, eventId: event?.id, eventType: event?.type },
  });
}

function announce(made: Made, job: JsonObject, { announcer }: TriggerContext): Made {
  if (made.outcome === "created") announcer?.announce(job, made.job);
  return made;
}

/** The span id that we gave this request: no other request has it. */
function spanOf(traceparent: string): string {
  return traceparent.split("-")[2] ?? "";
}

function raise(fault: Fault): never {
  throw fault;
}

function toOverlapOutcome(overlap: "allow" | "forbid" | "join", job: JobRef): Outcome {
  const reason = `Job ${job.name} is unfinished`;
  return { outcome: overlap === "join" ? "joined" : "refused", job, reason, cause: "unfinished-job" };
}

function recordNeeded(overlap: string): Fault {
  return new Fault(
    "invalid-field",
    `onOverlap: "${overlap}" needs the record of keys: set DEDUPE_WINDOW or OVERLAP_POLICY (manifests/components/exactly-once)`,
  );
}

/**
 * Tells whether the time is over, by clocks that go on while the process is stopped (timers only fire afterwards) and
 * while its machine is suspended (the monotonic one does not).
 */
function deadline(timeoutMs: number): () => boolean {
  const endsAtMs = performance.now() + timeoutMs;
  const endsAtTime = Date.now() + timeoutMs;
  return () => performance.now() >= endsAtMs || Date.now() >= endsAtTime;
}
