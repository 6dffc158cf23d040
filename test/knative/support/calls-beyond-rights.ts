import type { JsonObject } from "../../../functions/core/json.ts";
import type { KubeApi } from "../../support/kube-api.ts";

/** A request to the API server. */
export type Call = [method: string, path: string, body?: JsonObject];

type Where = { namespace: string; cronJobName: string };

const object = (apiVersion: string, kind: string): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: "x" },
  spec: {},
});

/** What no installation of the function may do, whatever its components: `other` is one for another CronJob elsewhere. */
export function callsBeyondRights(own: Where, other: Where): Call[] {
  const batch = (namespace: string) => `/apis/batch/v1/namespaces/${namespace}`;
  const core = `/api/v1/namespaces/${own.namespace}`;
  const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return [
    ["GET", `${batch(other.namespace)}/cronjobs/${other.cronJobName}`],
    ["GET", `${batch(other.namespace)}/jobs`],
    ["POST", `${batch(other.namespace)}/jobs`, object("batch/v1", "Job")],
    ["GET", `${leases(other.namespace)}/sync-trigger`],
    ["GET", `${batch(own.namespace)}/cronjobs`],
    ["GET", `${batch(own.namespace)}/cronjobs/another`],
    ["POST", `${batch(own.namespace)}/cronjobs`, object("batch/v1", "CronJob")],
    ["DELETE", `${batch(own.namespace)}/cronjobs/${own.cronJobName}`],
    ["DELETE", `${batch(own.namespace)}/jobs/any`],
    ["DELETE", `${batch(own.namespace)}/jobs`],
    ["GET", `${leases(own.namespace)}/another`],
    ["DELETE", `${leases(own.namespace)}/sync-trigger`],
    ["GET", `${core}/secrets`],
    ["GET", `${core}/secrets/any`],
    ["GET", `${core}/configmaps/sync-trigger`],
    ["POST", `${core}/pods`, object("v1", "Pod")],
    ["DELETE", `${core}/pods/any`],
    ["POST", `${core}/pods/any/exec?command=id`],
    ["POST", `${core}/serviceaccounts/sync-trigger/token`, object("authentication.k8s.io/v1", "TokenRequest")],
    ["GET", "/apis/batch/v1/jobs"],
    ["GET", "/api/v1/namespaces"],
  ];
}

/** Each call's method and path, and the status with which the API server answers it. */
export function statusesOf(by: KubeApi, calls: Call[]): Promise<unknown[]> {
  return Promise.all(calls.map(async (call) => [call[0], call[1], (await by.call(...call)).status]));
}

/** What `statusesOf` gives when every call is forbidden. */
export function all403(calls: Call[]): unknown[] {
  return calls.map(([method, path]) => [method, path, 403]);
}
