import { setTimeout as pause } from "node:timers/promises";
import { readAnnotation } from "./core/job-from-cronjob.ts";
import { isJsonObject, type JsonObject } from "./core/json.ts";
import type { JobRef, Made } from "./core/outcome.ts";
import { Fault } from "./errors.ts";
import { ApiError, type ApiFailure, isPassing } from "./kubernetes/api-error.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { retryAfter, toApiFault } from "./kubernetes/report-api-errors.ts";

const maxAttempts = 3;
const pauseMs = 200;
const longestRetryAfterS = 2;

/**
 * Stores a Job at most once: its name is the lock. After **any** failed create the name is looked up before we answer,
 * because admission runs before the name check (a redelivery after the template changed gets a 422, not a 409), and
 * because a lost answer says nothing. `isLate` is asked right before each create: a process that was frozen meanwhile
 * must not send what others have stopped waiting for. `again` is asked before each but the first: what it gives is
 * the answer, nothing means go on. `failed` is told of each create that failed, and whether there may be a Job all the
 * same: of this create or of an earlier one. Throws a Fault.
 */
export async function createOnce<Other = never>(
  cluster: Cluster,
  job: JsonObject,
  signal: AbortSignal,
  {
    isLate = () => false,
    again,
    failed,
  }: {
    isLate?: () => boolean;
    again?: () => Promise<Other | undefined>;
    failed?: (mayBeThere: boolean) => void;
  } = {},
): Promise<Made | Other> {
  const name = metadataOf(job).name as string;
  const options = { signal, traceparent: readAnnotation(job, "traceparent") };
  let unanswered = false; // a create of ours got no answer: it may be stored, now or a moment later
  for (let attempt = 1; ; attempt += 1) {
    if (isLate()) throw tooLate(unanswered);
    const result = await cluster.createJob(job, options).catch(toFailedCall);
    if (!(result instanceof ApiError)) return { outcome: "created", job: toJobRef(result) };
    const { failure } = result;
    unanswered ||= failure.status === 0 && failure.mayHaveTakenEffect;
    failed?.(failure.mayHaveTakenEffect || isAlreadyExists(failure));

    const existing = await cluster.getJob(name, options).catch(toFailedCall);
    if (!(existing instanceof ApiError)) return recognise(job, existing);
    if (existing.failure.status !== 404) throw giveUp(existing, unanswered || failure.mayHaveTakenEffect);
    // It was there and is gone again: history limits, TTL or a person removed it. The key did make a Job.
    if (isAlreadyExists(failure))
      return { outcome: "duplicate", job: { ...toJobRef(job), uid: null, createdAt: null } };

    const mayTryAgain = isPassing(failure) && (failure.retryAfterS ?? 0) <= longestRetryAfterS;
    if (attempt === maxAttempts || !mayTryAgain || signal.aborted) throw giveUp(result, unanswered);
    const waitMs = Math.max(attempt * pauseMs, (failure.retryAfterS ?? 0) * 1_000);
    await pause(waitMs, undefined, { signal }).catch(() => {
      throw giveUp(result, unanswered);
    });
    const other = await again?.().catch((error) => {
      throw unanswered ? unknownOutcome(error, failure) : error;
    });
    if (other !== undefined) return other;
  }
}

/** What a Job under our name means: ours from now, ours from before, or (a Fault) somebody else's. */
export function recognise(wanted: JsonObject, found: JsonObject): Made {
  const job = toJobRef(found);
  const sameKey = readAnnotation(found, "keyDigest") === readAnnotation(wanted, "keyDigest");
  if (!sameKey || controllerUid(found) !== controllerUid(wanted)) {
    throw new Fault(
      "foreign-job",
      `Job ${job.namespace}/${job.name} is not of this CronJob and key; rename or delete it`,
    );
  }
  if (readAnnotation(found, "requestDigest") !== readAnnotation(wanted, "requestDigest")) {
    throw keyReused(`${job.namespace}/${job.name}`);
  }
  // Our own span id tells a create of this request whose answer was lost from one of an earlier request.
  const ours = readAnnotation(found, "traceparent") === readAnnotation(wanted, "traceparent");
  return { outcome: ours ? "created" : "duplicate", job };
}

/** The Fault for a key that comes again with other parameters; `job` is NAMESPACE/NAME. */
export function keyReused(job: string): Fault {
  return new Fault("key-reused", `Job ${job} was made for this key with other parameters`);
}

function giveUp(error: ApiError, uncertain: boolean): unknown {
  return uncertain ? unknownOutcome(error, error.failure) : toApiFault(error);
}

function unknownOutcome(cause: unknown, failure: ApiFailure): Fault {
  const detail = "the API server did not say whether the Job was stored; repeat with the same key";
  return new Fault("outcome-unknown", detail, { cause, headers: retryAfter(failure) });
}

function tooLate(unanswered: boolean): Fault {
  if (unanswered)
    return new Fault("outcome-unknown", "the time is over and the create got no answer; repeat with the same key");
  return new Fault("api-unavailable", "the time was over before the Job was sent", { headers: retryAfter({}) });
}

function toFailedCall(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}

function isAlreadyExists({ status, reason }: ApiFailure): boolean {
  return status === 409 && reason === "AlreadyExists";
}

/** A stored Job as answers name it. */
export function toJobRef(job: JsonObject): JobRef {
  const { name, namespace, uid, creationTimestamp } = metadataOf(job);
  return {
    name: String(name),
    namespace: String(namespace),
    uid: typeof uid === "string" ? uid : null,
    createdAt: typeof creationTimestamp === "string" ? creationTimestamp : null,
  };
}

function controllerUid(job: JsonObject): unknown {
  const owners = metadataOf(job).ownerReferences;
  if (!Array.isArray(owners)) return undefined;
  return owners.filter(isJsonObject).find((owner) => owner.controller === true)?.uid;
}

function metadataOf(object: JsonObject): JsonObject {
  return isJsonObject(object.metadata) ? object.metadata : {};
}
