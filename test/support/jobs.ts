import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";
import type { KubeApi } from "./kube-api.ts";
import { until } from "./until.ts";

/** Every Job of a namespace. */
export async function listJobs(api: KubeApi, namespace: string): Promise<JsonObject[]> {
  const { items } = await api.expect("GET", `/apis/batch/v1/namespaces/${namespace}/jobs`);
  return items as JsonObject[];
}

/** Waits until a Job has ended and gives the type of its last condition, "Complete" or "Failed". */
export function jobEnd(api: KubeApi, namespace: string, name: string, timeoutMs = 180_000): Promise<string> {
  return until(
    `Job ${name} to end`,
    async () => {
      const { status } = await api.expect("GET", `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
      const conditions = isJsonObject(status) && Array.isArray(status.conditions) ? status.conditions : [];
      const end = conditions.filter(isJsonObject).find(({ type }) => type === "Complete" || type === "Failed");
      return end?.type as string | undefined;
    },
    timeoutMs,
  );
}

/** The log of a Job's one pod. */
export async function jobLog(api: KubeApi, namespace: string, name: string): Promise<string> {
  const pods = await api.expect("GET", `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`);
  const [pod] = pods.items as { metadata: { name: string } }[];
  if (!pod) throw new Error(`Job ${name} has no pod`);
  const { text } = await api.call("GET", `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log`);
  return text;
}

/** A stored Job's metadata, as far as tests look at it. */
export type JobMetadata = {
  name: string;
  uid: string;
  creationTimestamp: string;
  labels?: Record<string, string>;
  annotations: Record<string, string>;
};

/** The metadata of an object; rejects undefined, so that a test that finds no Job says so. */
export function metadataOf(object: JsonObject | undefined): JobMetadata {
  if (!object) throw new Error("there is no such Job");
  return object.metadata as unknown as JobMetadata;
}
