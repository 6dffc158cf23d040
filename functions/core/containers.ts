import type { ContainerStatus, Job, Pod } from "./workload.ts";

/** Names of the containers whose logs can be read: those of the pod, or of the Job's template when there is none yet. */
export function containerNames(source: Job | Pod): string[] {
  const spec = "template" in source.spec ? source.spec.template.spec : source.spec;
  return [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
}

/** The container that kubectl would take: the annotation's, else the first. */
export function defaultContainer(source: Job | Pod): string {
  const template = "template" in source.spec ? source.spec.template : (source as Pod);
  const named = template.metadata?.annotations?.["kubectl.kubernetes.io/default-container"];
  const names = containerNames(source);
  return named !== undefined && names.includes(named) ? named : (names[0] ?? "");
}

/** The statuses of a pod's containers, those that run first in front. */
export function statusesOf({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** The status of one container of a pod; undefined before the kubelet has told of it. */
export function statusOf(pod: Pod, container: string): ContainerStatus | undefined {
  return statusesOf(pod).find(({ name }) => name === container);
}

/** Whether a container has a log: it runs, or it ran. */
export function hasStarted({ state, lastState }: ContainerStatus): boolean {
  return Boolean(state?.running ?? state?.terminated ?? lastState?.terminated);
}

/** Whether a pod will never run again. */
export function hasPodEnded({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Why a pod, or one container of it, does not run yet; undefined when it runs or has ended. */
export function waitingReason(pod: Pod, container?: string): { reason: string; message?: string } | undefined {
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled) return toReason(unscheduled, "Unschedulable");
  const statuses = statusesOf(pod).filter(({ name }) => container === undefined || name === container);
  const waiting = statuses.flatMap(({ state }) => (state?.waiting ? [state.waiting] : []));
  // ContainerCreating and PodInitializing are what containers say while they wait for another one's trouble.
  const telling = waiting.find(({ reason }) => reason !== "ContainerCreating" && reason !== "PodInitializing");
  const found = telling ?? waiting[0];
  if (found) return toReason(found, "ContainerCreating");
  return statuses.length === 0 && !hasPodEnded(pod) ? { reason: "ContainerCreating" } : undefined;
}

function toReason({ reason, message }: { reason?: string; message?: string }, fallback: string) {
  return { reason: reason || fallback, ...(message ? { message } : {}) };
}
