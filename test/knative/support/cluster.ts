import type { JsonObject } from "../../../functions/core/json.ts";
import { connectKubeApi, type KubeApi } from "../../support/kube-api.ts";
import { until } from "../../support/until.ts";

/** The API server of KUBECONFIG and TEST_KUBE_CONTEXT, as its administrator. */
export const api: KubeApi = connectKubeApi(process.env.KUBECONFIG ?? "", process.env.TEST_KUBE_CONTEXT);

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
  let last = "";
  const look = async () => {
    const { metadata, status } = (await api.expect("GET", path)) as unknown as WithConditions;
    last = JSON.stringify(status);
    const isCurrent = status?.observedGeneration === undefined || status.observedGeneration === metadata.generation;
    return isCurrent && status?.conditions?.some((condition) => condition.type === type && condition.status === "True");
  };
  await until(`${path} to be ${type}`, look, timeoutMs).catch((error: Error) => {
    throw new Error(`${error.message}; its status: ${last}`);
  });
}
