import { isJsonObject } from "../../functions/core/json.ts";
import type { KubeApi } from "./kube-api.ts";

const annotation = "sync-trigger.internal/record";
const collection = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

/** Creates the Lease of the record as manifests/components/exactly-once does. */
export async function createLease(api: KubeApi, namespace: string): Promise<void> {
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "sync-trigger" }, spec: {} };
  await api.expect("POST", collection(namespace), lease);
}

/** The lines of the record. */
export async function readRecord(api: KubeApi, namespace: string): Promise<string[]> {
  const { metadata } = await api.expect("GET", `${collection(namespace)}/sync-trigger`);
  const annotations = isJsonObject(metadata) && isJsonObject(metadata.annotations) ? metadata.annotations : {};
  return String(annotations[annotation] ?? "")
    .split("\n")
    .filter((line) => line !== "");
}

/** Replaces the record's lines, as somebody with kubectl could. */
export async function writeRecord(api: KubeApi, namespace: string, lines: string[]): Promise<void> {
  const patch = { metadata: { annotations: { [annotation]: lines.map((line) => `${line}\n`).join("") } } };
  const headers = { "content-type": "application/merge-patch+json" };
  await api.expect("PATCH", `${collection(namespace)}/sync-trigger`, patch, headers);
}
