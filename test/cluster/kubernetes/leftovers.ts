import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { CACHE_DIR, NETNS_FILE, RUN_DIR } from "../machine/paths.ts";
import { podCgroups } from "./cgroups.ts";

/** The identity of the cluster's network namespace; asked before it is deleted. */
export function namespaceInode(): number | undefined {
  return existsSync(NETNS_FILE) ? statSync(NETNS_FILE).ino : undefined;
}

function commandOf(pid: string): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}

/** The processes that run in the network namespace. */
function processesIn(inode: number): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/net`) === `net:[${inode}]` ? [`process ${pid}: ${commandOf(pid)}`] : [];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function mountsBelow(directory: string): string[] {
  const mountPoints = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return mountPoints.filter((mountPoint) => mountPoint === directory || mountPoint.startsWith(`${directory}/`));
}

/** What a cluster that was taken down has left on the machine, in words. */
export function findLeftovers(inode: number | undefined): string[] {
  const mounts = [RUN_DIR, CACHE_DIR, NETNS_FILE].flatMap(mountsBelow);
  return [
    ...(inode === undefined ? [] : processesIn(inode)),
    ...mounts.map((mountPoint) => `mount ${mountPoint}`),
    ...podCgroups().map((directory) => `cgroup ${directory}`),
    ...[RUN_DIR, NETNS_FILE].filter((file) => existsSync(file)),
  ];
}
