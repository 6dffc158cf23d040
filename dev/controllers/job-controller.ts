import { parseTime, secondsTime } from "../api/go-time.ts";
import { numberOf } from "../api/json.ts";
import type { Condition, Job, Pod } from "../api/objects.ts";
import { JOBS, PODS } from "../api/resources.ts";
import type { Store, StoreEvent } from "../api/store.ts";
import { ensureCondition, finishedAs, newCondition, trueCondition } from "./conditions.ts";
import {
  createPod,
  deletePods,
  hasFailed,
  isActive,
  isReady,
  isTerminating,
  isUncounted,
  podsOf,
  releasePods,
  strayPods,
} from "./job-pods.ts";
import { createWorkQueue, type WorkQueue } from "./work-queue.ts";

/** What the Job controller is told. */
export interface JobControllerOptions {
  /** Whether a Job may run on this machine; the others are stored and get no pod. */
  mayRun(job: Job): boolean;
  /** The wait before the second pod; it doubles with each failure. */
  podBackoffMs: number;
}

interface Context extends JobControllerOptions {
  store: Store;
  queue: WorkQueue;
  /** By the Job's uid, how many of its pods have failed and when the last was seen to. */
  failures: Map<string, { count: number; atMs: number }>;
}

const longestBackoffMs = 10 * 60_000;

/** Runs Jobs as the Job controller of Kubernetes 1.36 does, for Jobs of one pod at a time. */
export function startJobController(store: Store, options: JobControllerOptions): () => void {
  const failures: Context["failures"] = new Map();
  const queue = createWorkQueue("job controller", (key) => {
    const [namespace, name = ""] = key.split("/");
    const job = store.get(JOBS, namespace, name);
    if (job) syncJob({ ...options, store, queue, failures }, job);
    else releasePods(store, strayPods(store, namespace));
  });
  const keyOf = ({ metadata: { namespace, name } }: Job | Pod) => `${namespace}/${name}`;
  const unsubscribe = store.subscribe(({ type, resource, object }: StoreEvent) => {
    if (resource === JOBS) queue.add(keyOf(object as Job));
    if (type === "DELETED") failures.delete(object.metadata.uid);
    // A pod without an owner has none to hold it either: the empty name finds no Job and lets it go.
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller);
    if (resource === PODS) queue.add(`${object.metadata.namespace}/${owner?.name ?? ""}`);
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}

function syncJob(context: Context, job: Job): void {
  const { store } = context;
  // A Job that another controller manages is none of ours.
  if (finishedAs(job) || (job.spec.managedBy ?? "kubernetes.io/job-controller") !== "kubernetes.io/job-controller")
    return;
  const isOurs = context.mayRun(job);
  if (!isOurs && !job.spec.suspend) return;
  const pods = podsOf(store, job);
  const failed = (job.status.failed ?? 0) + pods.filter((pod) => isUncounted(pod) && hasFailed(pod, job)).length;
  const end = trueCondition(job, "FailureTarget") ?? failure(context, job, failed);
  if (end) {
    finish(context, job, pods, { ...end, type: "FailureTarget" });
    return;
  }

  const succeeded =
    (job.status.succeeded ?? 0) + pods.filter((pod) => isUncounted(pod) && pod.status.phase === "Succeeded").length;
  if (succeeded >= (job.spec.completions ?? 1) && !pods.some(isActive)) {
    const message = "Reached expected number of succeeded pods";
    const met = trueCondition(job, "SuccessCriteriaMet");
    finish(context, job, pods, met ?? newCondition("SuccessCriteriaMet", "True", "CompletionsReached", message));
    return;
  }
  const next = job.metadata.deletionTimestamp ? job : manage(context, job, pods);
  count(store, next, podsOf(store, next));
}

/** Why a Job has failed, if it has. Asks to be called again when its deadline will be over. */
function failure({ queue }: Context, job: Job, failed: number): Condition | undefined {
  const { backoffLimit = 6, activeDeadlineSeconds, suspend } = job.spec;
  if (failed > backoffLimit) {
    return newCondition("FailureTarget", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const { startTime } = job.status;
  if (activeDeadlineSeconds === undefined || suspend || startTime === undefined) return undefined;
  const leftMs = parseTime(startTime) + numberOf(activeDeadlineSeconds) * 1000 - Date.now();
  if (leftMs <= 0) {
    const message = "Job was active longer than specified deadline";
    return newCondition("FailureTarget", "True", "DeadlineExceeded", message);
  }
  queue.addAfter(`${job.metadata.namespace}/${job.metadata.name}`, leftMs);
  return undefined;
}

/** Starts or stops what has to run or not, and says so in the status; not stored yet. */
function manage(context: Context, job: Job, pods: readonly Pod[]): Job {
  const { store, queue } = context;
  const conditions = job.status.conditions ?? [];
  const active = pods.filter(isActive);
  const now = secondsTime(Date.now());
  if (job.spec.suspend) {
    deletePods(store, active, { forget: true });
    const next = ensureCondition(conditions, newCondition("Suspended", "True", "JobSuspended", "Job suspended"));
    const { startTime: _started, ...status } = job.status;
    return { ...job, status: { ...(next === conditions ? job.status : status), conditions: [...next] } };
  }
  const resumed = ensureCondition(conditions, newCondition("Suspended", "False", "JobResumed", "Job resumed"));
  const startTime = resumed === conditions ? (job.status.startTime ?? now) : now;
  const status = { ...job.status, startTime, ...(resumed.length > 0 && { conditions: [...resumed] }) };
  const isWaitedFor = job.spec.podReplacementPolicy === "Failed" && pods.some(isTerminating);
  if (active.length === 0 && !isWaitedFor && (job.spec.parallelism ?? 1) > 0) {
    const waitMs = backoffLeftMs(context, job, pods);
    if (waitMs > 0) queue.addAfter(`${job.metadata.namespace}/${job.metadata.name}`, waitMs);
    else createPod(store, job);
  }
  return { ...job, status };
}

function backoffLeftMs({ podBackoffMs, failures }: Context, job: Job, pods: readonly Pod[]): number {
  const { uid } = job.metadata;
  const count = Math.max(pods.filter((pod) => hasFailed(pod, job)).length, job.status.failed ?? 0);
  if (count === 0) return 0;
  const known = failures.get(uid);
  // The pods' own times have whole seconds only, too coarse for a short back-off.
  const last = known?.count === count ? known : { count, atMs: Date.now() };
  failures.set(uid, last);
  return last.atMs + Math.min(podBackoffMs * 2 ** (count - 1), longestBackoffMs) - Date.now();
}

/** Counts the pods that ended and lets go of them; stores the Job. */
function count(store: Store, job: Job, pods: readonly Pod[]): Job {
  const isFinishing = trueCondition(job, "FailureTarget") !== undefined;
  const uncounted = pods.filter(isUncounted);
  const succeeded = uncounted.filter(({ status }) => status.phase === "Succeeded");
  // When a Job has failed, its pods that are still there have failed with it.
  const failed = uncounted.filter((pod) => !succeeded.includes(pod) && (isFinishing || hasFailed(pod, job)));
  releasePods(store, job.metadata.deletionTimestamp ? uncounted : [...succeeded, ...failed]);
  const { active: _active, succeeded: _succeeded, failed: _failed, ...others } = job.status;
  const status = {
    ...others,
    ...sum("active", pods.filter(isActive).length),
    ...sum("succeeded", (job.status.succeeded ?? 0) + succeeded.length),
    ...sum("failed", (job.status.failed ?? 0) + failed.length),
    terminating: pods.filter(isTerminating).length,
    ready: pods.filter((pod) => isActive(pod) && isReady(pod)).length,
    uncountedTerminatedPods: {},
  };
  return store.update(JOBS, { ...job, status });
}

const sum = (name: "active" | "succeeded" | "failed", value: number) => (value > 0 ? { [name]: value } : {});

/** Ends a Job in the two steps that a real one takes: first the interim condition, then, when no pod is left, the last one. */
function finish({ store }: Context, job: Job, pods: readonly Pod[], interim: Condition): void {
  const conditions = [...ensureCondition(job.status.conditions ?? [], interim)];
  const startTime = job.status.startTime ?? secondsTime(Date.now());
  deletePods(store, pods.filter(isActive), { forget: false });
  const marked = store.update(JOBS, { ...job, status: { ...job.status, startTime, conditions } });
  const counted = count(store, marked, podsOf(store, marked));
  if ((counted.status.terminating ?? 0) > 0) return;
  const isFailure = interim.type === "FailureTarget";
  const last = newCondition(isFailure ? "Failed" : "Complete", "True", interim.reason ?? "", interim.message ?? "");
  store.update(JOBS, {
    ...counted,
    status: {
      ...counted.status,
      conditions: [...conditions, last],
      ...(!isFailure && last.lastTransitionTime && { completionTime: last.lastTransitionTime }),
    },
  });
}
