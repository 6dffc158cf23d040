import type { Config } from "./config.ts";
import { jobFromCronJob } from "./core/job-from-cronjob.ts";
import { jobName } from "./core/job-name.ts";
import { type Key, keyDigest, requestDigest } from "./core/key.ts";
import type { Outcome } from "./core/outcome.ts";
import type { SyncRequest } from "./core/request.ts";
import { createOnce } from "./create-once.ts";
import { Fault } from "./errors.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { reportApiErrors } from "./kubernetes/report-api-errors.ts";

/** A trigger as a door hands it over: decoded, checked and with its key. */
export type TriggerInput = {
  key: Key;
  request: SyncRequest;
  via: "http" | "event" | "ping";
  traceparent: string;
  event?: { source: string; id: string; type: string };
};

/** What a trigger works with. */
export type TriggerContext = {
  cluster: Cluster;
  /** The CronJob's namespace. */
  namespace: string;
  config: Pick<Config, "cronJobName" | "overlapPolicy" | "triggerTimeoutMs">;
};

/** Takes facts for the request's log line. */
type Note = (facts: Record<string, unknown>) => void;

/**
 * Runs the CronJob once for this key: read the CronJob, build the Job, create it. Ends within `triggerTimeoutMs`,
 * whatever the API server does. Throws a Fault.
 */
export async function trigger(input: TriggerInput, context: TriggerContext, note: Note): Promise<Outcome> {
  const { cluster, namespace, config } = context;
  const digests = digest(input, context);
  note({ via: input.via, traceparent: input.traceparent, keyDigest: digests.keyDigest });
  const signal = AbortSignal.timeout(config.triggerTimeoutMs);
  const cronJob = await cluster
    .getCronJob({ signal })
    .catch(reportApiErrors({ missing: `CronJob ${namespace}/${config.cronJobName} does not exist` }));
  const { key, request, event, ...origin } = input;
  const job = jobFromCronJob(cronJob, jobName(config.cronJobName, digests.keyDigest), {
    ...digests,
    ...origin,
    eventSource: event?.source,
    eventId: event?.id,
    eventType: event?.type,
    reason: request.reason,
  });
  const outcome = await createOnce(cluster, job, signal);
  note({ outcome: outcome.outcome, job: outcome.job.name });
  return outcome;
}

/** The digests that a trigger's Job carries; refuses the policies that this version does not have. */
function digest({ key, request }: TriggerInput, { namespace, config }: TriggerContext) {
  const onOverlap = request.onOverlap ?? config.overlapPolicy;
  if (onOverlap !== "allow") {
    throw new Fault("invalid-field", `onOverlap: "${onOverlap}" is not supported by this version; only "allow" is`);
  }
  if (request.ifOlderThan !== undefined) {
    throw new Fault("invalid-field", "ifOlderThan: not supported by this version; leave it out");
  }
  return {
    keyDigest: keyDigest({ namespace, name: config.cronJobName }, key),
    requestDigest: requestDigest({ onOverlap }),
  };
}
