import type { JsonObject } from "../../../functions/core/json.ts";

/** What earlier steps were answered, by their names. */
export type Seen = (step: string) => JsonObject;

/** One call of the script. A body that is a string is sent as it is, anything else as JSON. */
export interface Step {
  name: string;
  method: string;
  path: string | ((seen: Seen) => string);
  body?: unknown;
  /** Made from what was answered before; instead of `body`. */
  bodyFrom?: (seen: Seen) => unknown;
  /** `undefined` leaves a header out that would be sent otherwise. */
  headers?: Record<string, string | undefined>;
  /** Asked again until this holds, where a controller writes in its own time. */
  until?: (body: JsonObject, status: number, text: string) => boolean;
}

/** The value at a path such as `metadata.uid`; undefined where there is none. */
export function at(object: unknown, path: string): unknown {
  let value = object;
  for (const name of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}

/** A copy with the value at a path replaced, or removed with undefined. */
export function withValue(object: JsonObject, path: string, value: unknown): JsonObject {
  const copy = structuredClone(object);
  const names = path.split(".");
  const last = names.pop() ?? "";
  const holder = (names.length > 0 ? at(copy, names.join(".")) : copy) as Record<string, unknown>;
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

/** The smallest pod that is valid in a Job. */
export const podSpec = { restartPolicy: "Never", containers: [{ name: "m", image: "dev.local/none:1" }] };

/** The smallest Job spec that starts no pod. */
export const idleSpec = { suspend: true, template: { spec: podSpec } };

/** A Job, of which the spec starts no pod unless another one is given. */
export const job = (name: string, spec: unknown = idleSpec, metadata: object = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name, ...metadata },
  spec,
});

/** A CronJob that never runs by itself. */
export const cronJob = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name, ...metadata },
  spec: { schedule: "0 3 * * *", suspend: true, jobTemplate: { spec: { template: { spec: podSpec } } }, ...spec },
});

/** A Lease. */
export const lease = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, ...metadata },
  spec,
});

/** The path of a namespace in batch/v1. */
export const batch = (namespace: string) => `/apis/batch/v1/namespaces/${namespace}`;
/** The path of the Leases of a namespace. */
export const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

/** A table of steps that differ in one thing: each row's name is appended to the base's. */
export function variants(base: Omit<Step, "name">, name: string, rows: readonly [string, Partial<Step>][]): Step[] {
  return rows.map(([what, part]) => ({ ...base, ...part, name: `${name}: ${what}` }));
}

/** The header of a merge patch. */
export const mergePatch = { "content-type": "application/merge-patch+json" };
