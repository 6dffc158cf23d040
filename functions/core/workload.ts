import type { JsonObject } from "./json.ts";

/** The fields of a Job that we read; the API server guarantees their types. */
export type Job = {
  metadata: ObjectMeta;
  spec: { suspend?: boolean; selector?: { matchLabels?: Record<string, string> }; template: PodTemplate };
  status?: {
    conditions?: Condition[];
    startTime?: string;
    completionTime?: string;
    active?: number;
    ready?: number;
    succeeded?: number;
    failed?: number;
  };
};

/** The fields of a Pod that we read. */
export type Pod = PodTemplate & {
  metadata: ObjectMeta;
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
};

type ObjectMeta = {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
};

type OwnerReference = { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean };
type Condition = { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string };
type PodTemplate = {
  metadata?: { annotations?: Record<string, string> };
  spec: { restartPolicy?: string; containers: { name: string }[]; initContainers?: { name: string }[] };
};

type ContainerState = {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: Terminated;
};
export type Terminated = { exitCode: number; reason?: string; message?: string; startedAt?: string };
export type ContainerStatus = {
  name: string;
  state?: ContainerState;
  lastState?: ContainerState;
  restartCount?: number;
};

/** A Job as the API server sent it. */
export function toJob(object: JsonObject): Job {
  return object as unknown as Job;
}

/** Whether a Job is of this CronJob, as the CronJob controller itself tells: by the name of its controller. */
export function isJobOf(job: Job, cronJobName: string): boolean {
  return (job.metadata.ownerReferences ?? []).some(
    ({ controller, apiVersion, kind, name }) =>
      controller === true && apiVersion === "batch/v1" && kind === "CronJob" && name === cronJobName,
  );
}

/** A condition of an object that is in force; undefined when there is none of that type. */
export function conditionOf(object: Job | Pod, type: string, status = "True"): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type && condition.status === status);
}

/** The condition with which a Job ended: Complete or Failed; undefined while it is unfinished. */
export function endOf(job: Job): Condition | undefined {
  return conditionOf(job, "Complete") ?? conditionOf(job, "Failed");
}

/** The pods of a Job among those of a PodList, in order of creation. */
export function podsOf(job: Job, list: JsonObject): Pod[] {
  const items = (list.items ?? []) as unknown as Pod[];
  return items
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid))
    .sort((a, b) => compareTexts(creationOrder(a.metadata), creationOrder(b.metadata)));
}

/** Whether the Job controller could have given this name to a pod of a Job: the Job's, cut, an index or none, 5 letters. */
export function couldBePodOf(jobName: string, podName: string): boolean {
  const [, base = "", index = ""] = /^(.*?)((?:-\d+)?-)?[a-z0-9]{5}$/.exec(podName) ?? [];
  const plain = `${jobName}-`.slice(0, longestPodBase);
  return base + index === plain || (index !== "" && base === jobName.slice(0, longestPodBase - index.length));
}

/** What the API server keeps of a name before it adds 5 letters. */
const longestPodBase = 58;

/** A key that sorts objects by creation; the API server's times have whole seconds, so the name decides between equals. */
export function creationOrder({ creationTimestamp, name }: Pick<ObjectMeta, "creationTimestamp" | "name">): string {
  return `${creationTimestamp} ${name}`;
}

/** Orders texts by code units, smallest first, as times in ISO 8601 need it. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
