import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../machine/wait.ts";

/** Where the kubelet keeps the cgroups of its pods: below the root of every hierarchy of this machine. */
export function podCgroups(): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, mountPoint = ""]) => join(mountPoint, "kubepods"))
    .filter((directory) => existsSync(directory));
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}

/** Removes the pods' cgroups once their processes are gone. */
export async function removePodCgroups(): Promise<void> {
  await waitFor({ what: "the pods' cgroups to be empty", timeoutMs: 30_000 }, () => {
    for (const directory of podCgroups()) removeTree(directory);
    return true;
  });
}
