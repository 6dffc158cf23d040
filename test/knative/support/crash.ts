import { ctr } from "../../cluster/images/load.ts";
import { kubectl } from "../../support/kubectl.ts";
import { functionContainer, type Pod } from "./pods.ts";

/** Kills the function's process in a pod with SIGKILL; on a cluster that is not ours, the whole pod without grace. */
export async function crash(namespace: string, { metadata, status }: Pod): Promise<void> {
  if (process.env.TEST_KUBE_CONTEXT) {
    await kubectl("--namespace", namespace, "delete", "pod", metadata.name, "--grace-period=0", "--force");
    return;
  }
  const container = status.containerStatuses?.find(({ name }) => name === functionContainer);
  const id = container?.containerID?.replace("containerd://", "");
  if (!id) throw new Error(`pod ${metadata.name} has no running container`);
  await ctr(["tasks", "kill", "--signal", "SIGKILL", id]);
}
