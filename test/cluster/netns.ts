import { existsSync } from "node:fs";
import { BIN_LINK, KUBECONFIG, NETNS_FILE, SYSTEM_PATH } from "./machine/paths.ts";
import { type RunOptions, run } from "./machine/run.ts";

/** The cluster's kubeconfig, for programs that run inside its network namespace. */
export { KUBECONFIG };

/** The command line that runs a command inside the cluster's network namespace. */
export function insideNetns(command: string[]): string[] {
  if (!existsSync(NETNS_FILE)) throw new Error('the cluster is not up: run "npm run cluster:up"');
  // Not `ip netns exec`: that mounts another /sys and hides the cgroups.
  return ["nsenter", `--net=${NETNS_FILE}`, "--", ...command];
}

/** What such a command finds in its environment: the administrator's kubeconfig and the kubectl of the same version. */
export function clusterEnvironment(): Record<string, string> {
  return { KUBECONFIG, PATH: `${BIN_LINK}:${SYSTEM_PATH}` };
}

/** Runs a command inside the network namespace and returns its stdout. */
export async function runInNetns(command: string[], options: RunOptions = {}): Promise<string> {
  const [nsenter = "", ...args] = insideNetns(command);
  return run(nsenter, args, { ...options, env: { ...clusterEnvironment(), ...options.env } });
}

/** Runs kubectl as the administrator and returns its stdout. */
export async function kubectl(args: string[], options: RunOptions = {}): Promise<string> {
  return runInNetns(["kubectl", ...args], options);
}
