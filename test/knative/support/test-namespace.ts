import { randomBytes } from "node:crypto";
import type { KubeApi } from "../../support/kube-api.ts";

const marker = "sync-trigger.test/of";

/** Creates a namespace that enforces the Pod Security Standard "restricted", marked as one of these tests'. */
export async function createNamespace(api: KubeApi, name: string): Promise<void> {
  await api.expect("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      annotations: { [marker]: "knative" },
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    },
  });
}

/** A name for a namespace that no other run uses. */
export function toNamespaceName(what: string): string {
  return `t-${what}-${randomBytes(3).toString("hex")}`;
}

type Namespace = { metadata: { name: string; annotations?: Record<string, string> } };

/** Whether there is such a namespace. Throws for one that these tests did not make: it may be somebody's real one. */
export async function isOurs(api: KubeApi, name: string): Promise<boolean> {
  const { status, body } = await api.call("GET", `/api/v1/namespaces/${name}`);
  if (status === 404) return false;
  const { metadata } = body as unknown as Namespace;
  if (metadata.annotations?.[marker] === "knative") return true;
  throw new Error(`namespace ${name} is none of these tests', which would delete it; use another cluster`);
}

/** The namespaces of these tests, of former runs too. */
export async function listTestNamespaces(api: KubeApi): Promise<string[]> {
  const { items } = await api.expect("GET", "/api/v1/namespaces");
  const ours = (items as unknown as Namespace[]).filter(({ metadata }) => metadata.annotations?.[marker] === "knative");
  return ours.map(({ metadata }) => metadata.name);
}
