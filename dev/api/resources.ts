import type { CoreEvent, CronJob, Job, KubeObject, Lease, Namespace, Pod } from "./objects.ts";

/** What can be done to objects of a kind. */
export type Verb = "create" | "get" | "list" | "watch" | "update" | "patch" | "delete";

/** One kind of object: where it lives, and which of a real server's verbs are modelled here. */
export interface Resource<T extends KubeObject = KubeObject> {
  group: string;
  /** Go's package of the internal type, as conversion errors name it. */
  goPackage: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  /** Name of the model of @kubernetes/client-node that lists its fields. */
  schema: string;
  verbs: readonly Verb[];
  subresources: readonly string[];
  /** Never set: ties the object's type to the table row. */
  object?: T;
}

const everyVerb: readonly Verb[] = ["create", "get", "list", "watch", "update", "patch", "delete"];

/** Namespaces of v1. */
export const NAMESPACES: Resource<Namespace> = {
  group: "",
  goPackage: "core",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
  schema: "V1Namespace",
  verbs: ["create", "get", "list", "watch", "delete"],
  subresources: [],
};

/** Pods of v1; only the Job controller makes them. */
export const PODS: Resource<Pod> = {
  group: "",
  goPackage: "core",
  plural: "pods",
  kind: "Pod",
  namespaced: true,
  schema: "V1Pod",
  verbs: ["get", "list", "watch", "delete"],
  subresources: ["log"],
};

/** Events of v1. */
export const EVENTS: Resource<CoreEvent> = {
  group: "",
  goPackage: "core",
  plural: "events",
  kind: "Event",
  namespaced: true,
  schema: "CoreV1Event",
  verbs: ["create", "get", "list", "watch", "delete"],
  subresources: [],
};

/** Jobs of batch/v1. */
export const JOBS: Resource<Job> = {
  group: "batch",
  goPackage: "batch",
  plural: "jobs",
  kind: "Job",
  namespaced: true,
  schema: "V1Job",
  verbs: everyVerb,
  subresources: ["status"],
};

/** CronJobs of batch/v1. */
export const CRONJOBS: Resource<CronJob> = {
  group: "batch",
  goPackage: "batch",
  plural: "cronjobs",
  kind: "CronJob",
  namespaced: true,
  schema: "V1CronJob",
  verbs: everyVerb,
  subresources: ["status"],
};

/** Leases of coordination.k8s.io/v1. */
export const LEASES: Resource<Lease> = {
  group: "coordination.k8s.io",
  goPackage: "coordination",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
  schema: "V1Lease",
  verbs: everyVerb,
  subresources: [],
};

/** Every kind of object that the embedded cluster holds. */
export const RESOURCES: readonly Resource[] = [NAMESPACES, PODS, EVENTS, JOBS, CRONJOBS, LEASES];

/** The `apiVersion` of a resource's objects. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? "v1" : `${resource.group}/v1`;
}

/** A resource as error messages name it: `jobs.batch`, `pods`. */
export function qualifiedPlural(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}
