import type { JsonObject } from "./json.ts";

/** Who an object belongs to. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** An object's metadata. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** What every stored object has; an object in the store is never changed in place. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A container of a pod, as far as it is read here. */
export interface Container {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: { name: string; value?: string; valueFrom?: JsonObject }[];
  imagePullPolicy?: string;
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
  [field: string]: unknown;
}

/** What a pod shall be. */
export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  volumes?: JsonObject[];
  restartPolicy?: string;
  nodeSelector?: Record<string, string>;
  terminationGracePeriodSeconds?: number;
  [field: string]: unknown;
}

/** What a Job's pods shall be. */
export interface PodTemplate {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string>; [field: string]: unknown };
  spec: PodSpec;
}

/** What a Job shall be. */
export interface JobSpec {
  parallelism?: number;
  completions?: number;
  activeDeadlineSeconds?: number;
  backoffLimit?: number;
  ttlSecondsAfterFinished?: number;
  completionMode?: string;
  suspend?: boolean;
  manualSelector?: boolean;
  selector?: { matchLabels?: Record<string, string> };
  template: PodTemplate;
  [field: string]: unknown;
}

/** A condition of a Job or a pod. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastProbeTime?: string | null;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

interface JobStatus {
  conditions?: Condition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  succeeded?: number;
  failed?: number;
  terminating?: number;
  ready?: number;
  uncountedTerminatedPods?: JsonObject;
}

/** A Job of batch/v1. */
export interface Job extends KubeObject {
  spec: JobSpec;
  status: JobStatus;
}

/** A CronJob of batch/v1. */
export interface CronJob extends KubeObject {
  spec: {
    schedule: string;
    timeZone?: string;
    concurrencyPolicy?: string;
    suspend?: boolean;
    startingDeadlineSeconds?: number;
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
    jobTemplate: { metadata: JsonObject; spec: JobSpec };
  };
  status: { active?: JsonObject[]; lastScheduleTime?: string; lastSuccessfulTime?: string };
}

/** How a container of a pod is. */
export interface ContainerStatus {
  name: string;
  state: {
    waiting?: { reason: string; message?: string };
    running?: { startedAt: string };
    terminated?: {
      exitCode: number;
      signal?: number;
      reason: string;
      startedAt: string;
      finishedAt: string;
      containerID: string;
    };
  };
  [field: string]: unknown;
}

/** A Pod of v1. */
export interface Pod extends KubeObject {
  spec: PodSpec & { nodeName?: string };
  status: {
    phase: "Pending" | "Running" | "Succeeded" | "Failed";
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    startTime?: string;
    [field: string]: unknown;
  };
}

/** A Namespace of v1. */
export interface Namespace extends KubeObject {
  spec: { finalizers?: string[] };
  status: { phase: "Active" | "Terminating" };
}

/** A Lease of coordination.k8s.io/v1. */
export interface Lease extends KubeObject {
  spec: JsonObject;
}

/** An Event of v1. */
export interface CoreEvent extends KubeObject {
  involvedObject: { kind?: string; namespace?: string; name?: string; uid?: string };
  [field: string]: unknown;
}
