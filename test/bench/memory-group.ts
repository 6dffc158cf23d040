import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";

/** A cgroup whose processes have so much memory; `file` takes the number of a process that is to be in it. */
export type MemoryGroup = { file: string; remove(): void };

const limitBytes = 256 * 1024 * 1024;
let count = 0;

/**
 * Makes a group with the memory limit that manifests/base gives the container: by it V8 sizes its young generation, which
 * on a large machine without one takes many times what it has in a pod. Version 1 of cgroups or 2, whichever is there.
 */
export function createMemoryGroup(): MemoryGroup {
  const isFirstVersion = existsSync("/sys/fs/cgroup/memory");
  count += 1;
  const directory = `/sys/fs/cgroup/${isFirstVersion ? "memory/" : ""}sync-trigger-bench-${process.pid}-${count}`;
  mkdirSync(directory);
  writeFileSync(`${directory}/${isFirstVersion ? "memory.limit_in_bytes" : "memory.max"}`, String(limitBytes));
  return { file: `${directory}/cgroup.procs`, remove: () => rmdirSync(directory) };
}
