import { hasPodEnded, hasStarted, statusOf } from "../core/containers.ts";
import { compareTexts, couldBePodOf, type Pod } from "../core/workload.ts";
import { Fault } from "../errors.ts";
import type { LogRequest } from "./log-request.ts";
import type { Run } from "./read-run.ts";

/** Whether the pod that a request names is no longer there. Throws 422 for a name that no pod of this Job can have had. */
export function isPodGone({ job, pods }: Run, { pod }: LogRequest): boolean {
  if (pod === undefined || pods.some(({ metadata }) => metadata.name === pod)) return false;
  if (couldBePodOf(job.metadata.name, pod)) return true;
  const names = pods.map(({ metadata }) => metadata.name).join(", ") || "none yet";
  throw new Fault("invalid-field", `query: pod: no such pod of this Job; it has ${names}`);
}

/** The uids of the pods that are not asked for: those before `pod`, or before the newest with a log where a tail is. */
export function podsToPass(pods: Pod[], { pod, without, tailLines }: LogRequest, container: string): Set<string> {
  let from = 0;
  if (pod !== undefined) from = pods.findIndex(({ metadata }) => metadata.name === pod);
  else if (tailLines !== undefined) from = Math.max(0, pods.findLastIndex(hasLogOf(container)));
  const passed = without ? pods.filter(({ metadata }) => without.includes(metadata.name)) : pods.slice(0, from);
  return new Set(passed.map(({ metadata }) => metadata.uid));
}

/**
 * The next pod to read: `first` if it is left, else the one whose container started first, else the oldest that has not
 * started yet; undefined when no more have anything to read.
 */
export function nextPod(pods: Pod[], passed: ReadonlySet<string>, container: string, first?: string): Pod | undefined {
  const left = pods.filter((pod) => !passed.has(pod.metadata.uid) && mayHaveLog(pod, container));
  const started = left.filter(hasLogOf(container)).sort((a, b) => compareTexts(startOf(a), startOf(b)));
  function startOf(pod: Pod): string {
    const { state, lastState } = statusOf(pod, container) ?? {};
    return (state?.running ?? state?.terminated ?? lastState?.terminated)?.startedAt ?? "";
  }
  return left.find(({ metadata }) => metadata.name === first) ?? started[0] ?? left[0];
}

/** The names of the pods that were read; undefined where they are just those before the pod at hand. */
export function readOutOfOrder(pods: Pod[], passed: ReadonlySet<string>, atHand: Pod, container: string) {
  const at = pods.findIndex(({ metadata }) => metadata.uid === atHand.metadata.uid);
  const others = pods
    .map((pod, index) => ({ pod, isBefore: index < at, isRead: passed.has(pod.metadata.uid) }))
    .filter(({ pod }, index) => index !== at && mayHaveLog(pod, container));
  if (others.every(({ isBefore, isRead }) => isBefore === isRead)) return undefined;
  return others.flatMap(({ pod, isRead }) => (isRead ? [pod.metadata.name] : []));
}

/** Whether a container of a pod has a log. */
export function hasLogOf(container: string): (pod: Pod) => boolean {
  return (pod) => {
    const status = statusOf(pod, container);
    return status !== undefined && hasStarted(status);
  };
}

/** A pod that ended before this container started never will. */
function mayHaveLog(pod: Pod, container: string): boolean {
  return hasLogOf(container)(pod) || !hasPodEnded(pod);
}
