import { waitFor } from "../machine/wait.ts";
import { kubectl } from "../netns.ts";

/** The namespaces in which Knative and the cluster's DNS run. */
const namespaces = ["kube-system", "knative-serving", "kourier-system", "knative-eventing"];

/** Waits until the API server serves every custom resource that was defined. */
export async function waitForDefinitions(): Promise<void> {
  await kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], { timeoutMs: 90_000 });
}

interface DeploymentList {
  items: {
    metadata: { name: string; generation: number };
    spec: { replicas: number };
    status: { observedGeneration?: number; availableReplicas?: number; updatedReplicas?: number };
  }[];
}

async function unavailableIn(namespace: string): Promise<string[]> {
  const list = JSON.parse(await kubectl(["get", "deployments", "-n", namespace, "-o", "json"])) as DeploymentList;
  if (list.items.length === 0) return [`${namespace} has no deployments`];
  const isAvailable = ({ metadata, spec, status }: DeploymentList["items"][number]): boolean =>
    status.observedGeneration === metadata.generation &&
    (status.updatedReplicas ?? 0) >= spec.replicas &&
    (status.availableReplicas ?? 0) >= spec.replicas;
  return list.items.filter((item) => !isAvailable(item)).map((item) => `${namespace}/${item.metadata.name}`);
}

/** Waits until every deployment of Knative has its pods. */
export async function waitForWorkloads(): Promise<void> {
  try {
    await waitFor({ what: "Knative's deployments", timeoutMs: 240_000, everyMs: 500 }, async () => {
      const unavailable = (await Promise.all(namespaces.map(unavailableIn))).flat();
      if (unavailable.length > 0) throw new Error(`not available: ${unavailable.join(", ")}`);
      return true;
    });
  } catch (error) {
    const pods = await kubectl(["get", "pods", "--all-namespaces", "--output=wide"]);
    throw new Error(`${error instanceof Error ? error.message : error}\n${pods}`);
  }
}
