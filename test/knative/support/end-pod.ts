import { ctr } from "../../cluster/images/load.ts";
import { api } from "./cluster.ts";
import { functionContainer, type Pod } from "./pods.ts";

/** Whether a process in a pod can be killed: only on a node of our own. */
export const canCrash = process.env.TEST_KUBE_CONTEXT === undefined;

/** Kills the function's process in a pod with SIGKILL; the pod stays, and its kubelet starts the container again. */
export async function crash({ metadata, status }: Pod): Promise<void> {
  const container = status.containerStatuses?.find(({ name }) => name === functionContainer);
  const id = container?.containerID?.replace("containerd://", "");
  if (!id) throw new Error(`pod ${metadata.name} has no running container`);
  await ctr(["tasks", "kill", "--signal", "SIGKILL", id]);
}

/** Deletes a pod; its own grace unless given in s, where 0 is what `kubectl delete --force` does. */
export async function deletePod(namespace: string, { metadata }: Pod, gracePeriodSeconds?: number): Promise<void> {
  await api.expect("DELETE", `/api/v1/namespaces/${namespace}/pods/${metadata.name}`, { gracePeriodSeconds });
}
