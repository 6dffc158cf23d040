import type { JsonObject } from "../../functions/core/json.ts";
import type { KubeApi } from "./kube-api.ts";

/** For a CronJob's Jobs: Kubernetes' Job controller leaves them alone, so they have no pod, and their status is ours. */
export const endedByHand = { managedBy: "sync-trigger.test/by-hand" };

/** The status of a Job that has just succeeded, as the API server takes it: beside Complete SuccessCriteriaMet, and both times. */
export function endedStatus(): JsonObject {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime: now });
  return { startTime: now, completionTime: now, conditions: [condition("SuccessCriteriaMet"), condition("Complete")] };
}

/** Ends a Job that is `endedByHand`, at once and whatever a node has to do. */
export async function endJob(api: KubeApi, namespace: string, name: string): Promise<void> {
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}/status`;
  await api.expect("PATCH", path, { status: endedStatus() }, { "content-type": "application/merge-patch+json" });
}
