import type { JsonObject } from "../core/json.ts";

/** How long a call may take: `signal` ends it from outside. */
export type CallOptions = { signal: AbortSignal };

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
  /** The Lease that carries the record of keys. */
  getLease(options: CallOptions): Promise<JsonObject>;
  /** Replaces that Lease if its resourceVersion is still the given one (else 409 Conflict); sent once. */
  updateLease(lease: JsonObject, options: CallOptions): Promise<JsonObject>;
};

/** The right that each call needs, and the directory or component of manifests/ that grants it. */
export const RIGHTS = {
  getCronJob: { verb: "get", apiGroup: "batch", resource: "cronjobs", byName: true, grantedBy: "manifests/rights" },
  getJob: { verb: "get", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: "manifests/rights" },
  createJob: { verb: "create", apiGroup: "batch", resource: "jobs", byName: false, grantedBy: "manifests/rights" },
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
} as const satisfies Record<keyof Cluster, unknown>;
