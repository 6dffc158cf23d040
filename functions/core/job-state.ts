import { defaultContainer, hasPodEnded, hasStarted, statusesOf, waitingReason } from "./containers.ts";
import { conditionOf, endOf, type Job, type Pod, type Terminated } from "./workload.ts";

/** How a run stands. Times as the API server writes them, in whole seconds of ISO 8601. */
export type JobState = {
  state: "queued" | "running" | "succeeded" | "failed";
  reason?: string;
  message?: string;
  exitCode?: number;
  startedAt?: string;
  finishedAt?: string;
  durationMs?: number;
};

const maxMessageLength = 1_024;
/** A Job controller makes a pod within a second or two. */
const noPodIsLongMs = 30_000;

/**
 * The state of a Job from its own fields and its pods', oldest first; without `pods` from its own alone, which cannot
 * tell why a pod waits. A container that has started makes it "running" even between two attempts.
 */
export function jobState(job: Job, pods: Pod[] | undefined, nowMs: number): JobState {
  const end = endOf(job);
  const { startTime, completionTime } = job.status ?? {};
  const started = startTime === undefined ? {} : { startedAt: startTime };
  if (end) {
    const finishedAt = completionTime ?? end.lastTransitionTime;
    const times = {
      ...started,
      ...(finishedAt === undefined ? {} : { finishedAt }),
      ...duration(startTime, finishedAt),
    };
    if (end.type === "Complete") return { state: "succeeded", ...times };
    return { state: "failed", ...describeFailure(end, pods ?? []), ...times };
  }
  if (job.spec.suspend) {
    const { message } = conditionOf(job, "Suspended") ?? {};
    return { state: "queued", ...describe("Suspended", message ?? "the Job is suspended") };
  }
  const waits = pods && waitReason(job, pods, nowMs);
  if (!hasBegun(job, pods)) return { state: "queued", ...waits, ...started };
  return { state: "running", ...waits, ...started, ...duration(startTime, new Date(nowMs).toISOString()) };
}

function hasBegun({ status }: Job, pods: Pod[] | undefined): boolean {
  const { ready = 0, succeeded = 0, failed = 0 } = status ?? {};
  return ready + succeeded + failed > 0 || (pods ?? []).some((pod) => statusesOf(pod).some(hasStarted));
}

/** Why nothing runs now; empty while something does. */
function waitReason(job: Job, pods: Pod[], nowMs: number) {
  const unfinished = pods.filter((pod) => !hasPodEnded(pod));
  if (unfinished.some((pod) => statusesOf(pod).some(({ state }) => state?.running))) return {};
  const newest = unfinished.at(-1);
  if (!newest) return pods.length > 0 ? {} : describe("NoPod", noPodMessage(job, nowMs));
  const waits = waitingReason(newest);
  return waits ? describe(waits.reason, waits.message) : {};
}

/** Pods that are refused (quota, admission) leave no trace in the Job itself, only in Events that we may not read. */
function noPodMessage({ metadata, status }: Job, nowMs: number): string {
  const none = "the Job controller has made no pod yet";
  const isLong = nowMs - Date.parse(status?.startTime ?? metadata.creationTimestamp) > noPodIsLongMs;
  if (!isLong || status?.failed) return none;
  const { namespace, name } = metadata;
  return `${none}; a quota or an admission policy may refuse it: kubectl -n ${namespace} describe job ${name}`;
}

/** The pod that tells why a Job failed: the newest that failed, and was not ended because another one had. */
export function failedPod(pods: Pod[]): Pod | undefined {
  const failed = pods.filter(({ status }) => status?.phase === "Failed");
  return failed.findLast(({ metadata }) => metadata.deletionTimestamp === undefined) ?? failed.at(-1);
}

function describeFailure({ reason, message }: { reason?: string; message?: string }, pods: Pod[]) {
  const pod = failedPod(pods);
  const ended = pod && failedContainer(pod);
  const sentences = [message, ended ? describeExit(ended) : pod?.status?.message].filter(Boolean);
  return {
    ...describe(reason || "Failed", sentences.join("; ")),
    ...(ended ? { exitCode: ended.terminated.exitCode } : {}),
  };
}

/** The container that made a pod fail: the default one if it failed, else the first that did; undefined when none ran. */
export function failedContainer(pod: Pod): { name: string; terminated: Terminated } | undefined {
  const failed = statusesOf(pod).flatMap(({ name, state }) =>
    state?.terminated && state.terminated.exitCode !== 0 ? [{ name, terminated: state.terminated }] : [],
  );
  return failed.find(({ name }) => name === defaultContainer(pod)) ?? failed[0];
}

function describeExit({ name, terminated: { exitCode, reason, message } }: { name: string; terminated: Terminated }) {
  const why = reason && reason !== "Error" ? ` (${reason})` : "";
  return `container ${name} ended with exit code ${exitCode}${why}${message ? `: ${message.trim()}` : ""}`;
}

function describe(reason: string, message: string | undefined) {
  return { reason, ...(message ? { message: message.slice(0, maxMessageLength).toWellFormed() } : {}) };
}

function duration(start: string | undefined, end: string | undefined) {
  if (start === undefined || end === undefined) return {};
  const durationMs = Date.parse(end) - Date.parse(start);
  return Number.isNaN(durationMs) ? {} : { durationMs: Math.max(0, durationMs) };
}
