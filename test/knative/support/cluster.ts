import type { JsonObject } from "../../../functions/core/json.ts";
import { connectKubeApi, type KubeApi } from "../../support/kube-api.ts";
import { kubeconfigOfUser } from "../../support/kubeconfig-of-user.ts";
import { eventually } from "./eventually.ts";

/** The API server of KUBECONFIG and TEST_KUBE_CONTEXT, as its administrator. */
export const api: KubeApi = connectKubeApi(kubeconfigOfUser(), process.env.TEST_KUBE_CONTEXT);

/** The objects of a collection, as far as a test looks at them. */
export async function list<T = JsonObject>(path: string): Promise<T[]> {
  return (await api.expect("GET", path)).items as T[];
}

type WithConditions = {
  metadata: { generation?: number };
  status?: { observedGeneration?: number; conditions?: { type: string; status: string; message?: string }[] };
};

/** Waits until an object has a condition with status True for its newest generation. */
export async function untilCondition(path: string, type: string, timeoutMs = 120_000): Promise<void> {
  const look = async () => {
    const { metadata, status } = (await api.expect("GET", path)) as unknown as WithConditions;
    const isCurrent = status?.observedGeneration === undefined || status.observedGeneration === metadata.generation;
    const isTrue = status?.conditions?.some((condition) => condition.type === type && condition.status === "True");
    if (!isCurrent || !isTrue) throw new Error(`its status is ${JSON.stringify(status)}`);
    return true;
  };
  await eventually(`${path} to be ${type}`, look, timeoutMs);
}

/** Changes an object by a merge patch. */
export async function mergePatch(path: string, patch: object): Promise<JsonObject> {
  return api.expect("PATCH", path, patch, { "content-type": "application/merge-patch+json" });
}
