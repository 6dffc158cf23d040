import { randomBytes } from "node:crypto";
import type { KubeApi } from "../../support/kube-api.ts";

const label = "sync-trigger.test/of";
const owner = "knative";

/** Creates a namespace that enforces the Pod Security Standard "restricted", labelled as one of these tests'. */
export async function createNamespace(api: KubeApi, name: string): Promise<void> {
  const labels = { [label]: owner, "pod-security.kubernetes.io/enforce": "restricted" };
  await api.expect("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
}

/** A name for a namespace that no other run uses. */
export function toNamespaceName(what: string): string {
  return `t-${what}-${randomBytes(3).toString("hex")}`;
}

type Namespace = { metadata: { name: string; labels: Record<string, string> } };

/** Whether there is such a namespace. Throws for one that these tests did not make: it may be somebody's real one. */
export async function isOurs(api: KubeApi, name: string): Promise<boolean> {
  const { status, body } = await api.call("GET", `/api/v1/namespaces/${name}`);
  if (status === 404) return false;
  if ((body as unknown as Namespace).metadata.labels[label] === owner) return true;
  throw new Error(`namespace ${name} is none of these tests', which would delete it; use another cluster`);
}

/** The namespaces of these tests, those of former runs included. */
export async function listTestNamespaces(api: KubeApi): Promise<string[]> {
  const { items } = await api.expect(
    "GET",
    `/api/v1/namespaces?labelSelector=${encodeURIComponent(`${label}=${owner}`)}`,
  );
  return (items as unknown as Namespace[]).map(({ metadata }) => metadata.name);
}
