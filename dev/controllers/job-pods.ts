import { randomUUID } from "node:crypto";
import { generateName } from "../api/create.ts";
import { deleteObject } from "../api/delete.ts";
import { secondsTime } from "../api/go-time.ts";
import type { Job, Pod } from "../api/objects.ts";
import { withDefaultRequests } from "../api/pod-defaults.ts";
import { JOBS, PODS } from "../api/resources.ts";
import { settle, withoutFinalizer } from "../api/settle.ts";
import type { Store } from "../api/store.ts";

/** Held by a pod until its Job has counted it. */
const trackingFinalizer = "batch.kubernetes.io/job-tracking";

/** The pods that a Job controls. */
export function podsOf(store: Store, job: Job): Pod[] {
  return store
    .list(PODS, job.metadata.namespace)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === job.metadata.uid),
    );
}

/** Pods that wait to be counted by a Job that is not there any more, or that has let go of them. */
export function strayPods(store: Store, namespace: string | undefined): Pod[] {
  const jobs = new Set(store.list(JOBS, namespace).map(({ metadata }) => metadata.uid));
  const hasJob = ({ metadata }: Pod) =>
    metadata.ownerReferences?.some(({ controller, uid }) => controller && jobs.has(uid)) === true;
  return store.list(PODS, namespace).filter((pod) => isUncounted(pod) && !hasJob(pod));
}

const isTerminal = ({ status }: Pod) => status.phase === "Succeeded" || status.phase === "Failed";

/** Whether a pod is at work, or will be. */
export const isActive = (pod: Pod) => !isTerminal(pod) && !pod.metadata.deletionTimestamp;

/** Whether a pod has been told to end and has not yet. */
export const isTerminating = (pod: Pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

/** Whether a pod is ready. */
export const isReady = (pod: Pod) =>
  pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** Whether a pod waits to be counted by its Job. */
export const isUncounted = (pod: Pod) => pod.metadata.finalizers?.includes(trackingFinalizer) === true;

/** A pod that somebody deletes counts as failed at once, unless the Job wants to wait for its end. */
export const hasFailed = (pod: Pod, job: Job) =>
  pod.status.phase === "Failed" ||
  (job.spec.podReplacementPolicy !== "Failed" &&
    pod.metadata.deletionTimestamp !== undefined &&
    pod.status.phase !== "Succeeded");

// Given to every pod by an admission plugin.
const evictionTolerations = ["not-ready", "unreachable"].map((problem) => ({
  key: `node.kubernetes.io/${problem}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

/** Creates the next pod of a Job. */
export function createPod(store: Store, job: Job): Pod {
  const { name, namespace = "", uid } = job.metadata;
  const { metadata, spec } = job.spec.template;
  const prefix = `${name}-`;
  return store.create(PODS, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: generateName(prefix),
      generateName: prefix,
      namespace,
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: secondsTime(Date.now()),
      ...(metadata.labels && { labels: metadata.labels }),
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid, controller: true, blockOwnerDeletion: true }],
      finalizers: [trackingFinalizer],
    },
    spec: {
      ...spec,
      containers: spec.containers.map(withDefaultRequests),
      serviceAccountName: spec.serviceAccountName ?? "default",
      serviceAccount: spec.serviceAccountName ?? "default",
      tolerations: [...((spec.tolerations as object[] | undefined) ?? []), ...evictionTolerations],
      priority: 0,
      enableServiceLinks: spec.enableServiceLinks ?? true,
      preemptionPolicy: "PreemptLowerPriority",
    },
    status: { phase: "Pending" },
  });
}

/** Deletes pods, with their grace period; `forget` lets go of those that the Job shall not count. */
export function deletePods(store: Store, pods: readonly Pod[], { forget }: { forget: boolean }): void {
  for (const { metadata } of pods) {
    const pod = store.get(PODS, metadata.namespace, metadata.name);
    if (!pod) continue;
    if (forget) settle(store, PODS, withoutFinalizer(pod, trackingFinalizer));
    deleteObject(store, PODS, metadata.namespace, metadata.name, { propagation: "Background", dryRun: false });
  }
}

/** Lets go of pods that have been counted. */
export function releasePods(store: Store, pods: readonly Pod[]): void {
  for (const { metadata } of pods) {
    const pod = store.get(PODS, metadata.namespace, metadata.name);
    if (pod) settle(store, PODS, withoutFinalizer(pod, trackingFinalizer));
  }
}
