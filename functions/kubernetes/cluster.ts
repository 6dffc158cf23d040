import type { Readable } from "node:stream";
import type { JsonObject } from "../core/json.ts";
import type { WatchEvent } from "./read-watch.ts";

/** How long a call may take: `signal` ends it from outside. `traceparent`: the trace that it is part of, if of one. */
export type CallOptions = { signal: AbortSignal; traceparent?: string | undefined };

/** Which part of a container's log to read; `sinceTime` counts in whole seconds, however precise it is. */
export type LogQuery = {
  container: string;
  follow?: boolean;
  tailLines?: number;
  sinceTime?: string;
  limitBytes?: number;
};

/**
 * What we ask of Kubernetes, and all of it: the list of calls is the Role (manifests/rights). Objects are raw JSON,
 * because client-node's typed API drops every field that it does not know. Each call throws an ApiError.
 */
export type Cluster = {
  /** The CronJob that is configured. */
  getCronJob(options: CallOptions): Promise<JsonObject>;
  /** A Job of the CronJob's namespace. */
  getJob(name: string, options: CallOptions): Promise<JsonObject>;
  /** Stores a Job and gives it back as stored; sent once, never repeated. */
  createJob(job: JsonObject, options: CallOptions): Promise<JsonObject>;
  /** Asks what would become of a Job: admission runs, nothing is stored. */
  tryJob(job: JsonObject, options: CallOptions): Promise<JsonObject>;
  /** The Lease that carries the record of keys. */
  getLease(options: CallOptions): Promise<JsonObject>;
  /** Replaces that Lease if its resourceVersion is still the given one (else 409 Conflict); sent once. */
  updateLease(lease: JsonObject, options: CallOptions): Promise<JsonObject>;
  /** Stores an Event of the CronJob's namespace; sent once. */
  createEvent(event: JsonObject, options: CallOptions): Promise<JsonObject>;
  /** A page of the namespace's Jobs, the rest of it after the given `metadata.continue`. */
  listJobs(page: { limit: number; after?: string | undefined }, options: CallOptions): Promise<JsonObject>;
  /** The changes of one Job after a resourceVersion, until the server ends the watch. */
  watchJob(
    name: string,
    from: { resourceVersion: string; timeoutS: number },
    options: CallOptions,
  ): Promise<AsyncIterable<WatchEvent>>;
  /** The pods with these labels. */
  listPods(labels: Record<string, string>, options: CallOptions): Promise<JsonObject>;
  /** The log of a container, each line behind its time (RFC 3339 with nanoseconds) and a space. */
  readLog(pod: string, query: LogQuery, options: CallOptions): Promise<Readable>;
};

const jobsApi = "manifests/components/jobs-api";

/** The right that each call needs, and the directory or component of manifests/ that grants it. */
export const RIGHTS = {
  getCronJob: { verb: "get", apiGroup: "batch", resource: "cronjobs", byName: true, grantedBy: "manifests/rights" },
  getJob: { verb: "get", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: "manifests/rights" },
  createJob: { verb: "create", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: "manifests/rights" },
  tryJob: { verb: "create", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: "manifests/rights" },
  getLease: {
    verb: "get",
    apiGroup: "coordination.k8s.io",
    resource: "leases",
    byName: true,
    grantedBy: "manifests/components/exactly-once",
  },
  updateLease: {
    verb: "update",
    apiGroup: "coordination.k8s.io",
    resource: "leases",
    byName: true,
    grantedBy: "manifests/components/exactly-once",
  },
  createEvent: {
    verb: "create",
    apiGroup: "",
    resource: "events",
    byName: false,
    grantedBy: "manifests/components/events",
  },
  listJobs: { verb: "list", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: jobsApi },
  watchJob: { verb: "watch", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: jobsApi },
  listPods: { verb: "list", apiGroup: "", resource: "pods", byName: false, grantedBy: jobsApi },
  readLog: { verb: "get", apiGroup: "", resource: "pods/log", byName: false, grantedBy: jobsApi },
} as const satisfies Record<keyof Cluster, unknown>;
