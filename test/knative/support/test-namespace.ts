import { randomBytes } from "node:crypto";
import type { KubeApi } from "../../support/kube-api.ts";

type Namespace = { metadata: { name: string; labels: Record<string, string> } };

/** Its value is the process that runs the tests: test/knative/run.ts, or vitest itself. */
const label = "sync-trigger.test/run";

/** Creates a namespace that enforces the Pod Security Standard "restricted", labelled as one of this run's. */
export async function createNamespace(api: KubeApi, name: string): Promise<void> {
  const run = process.env.TEST_RUN ?? String(process.ppid);
  const labels = { [label]: run, "pod-security.kubernetes.io/enforce": "restricted" };
  await api.expect("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
}

/** A name for a namespace that no other run uses. */
export function toNamespaceName(what: string): string {
  return `t-${what}-${randomBytes(3).toString("hex")}`;
}

/** Whether there is such a namespace. Throws for one that these tests did not make: it may be somebody's real one. */
export async function isOurs(api: KubeApi, name: string): Promise<boolean> {
  const { status, body } = await api.call("GET", `/api/v1/namespaces/${name}`);
  if (status === 404) return false;
  if (label in (body as unknown as Namespace).metadata.labels) return true;
  throw new Error(`namespace ${name} is none of these tests', which would delete it; use another cluster`);
}

/** The namespaces of runs that have ended; another one may be at work on the same cluster. */
export async function listLeftNamespaces(api: KubeApi): Promise<string[]> {
  const { items } = await api.expect("GET", `/api/v1/namespaces?labelSelector=${encodeURIComponent(label)}`);
  const left = (items as unknown as Namespace[]).filter(({ metadata }) => !isRunning(Number(metadata.labels[label])));
  return left.map(({ metadata }) => metadata.name);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
