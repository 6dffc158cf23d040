import { homedir } from "node:os";
import { join } from "node:path";

/** The path of the kubeconfig that kubectl would read. */
export function kubeconfigOfUser(): string {
  return process.env.KUBECONFIG || join(homedir(), ".kube/config");
}
