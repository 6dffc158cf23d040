import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PID_DIR } from "./paths.ts";
import { waitFor } from "./wait.ts";

/** One process: a pid alone may be given to another process later, the pid and the start time never. */
export interface ProcessId {
  pid: number;
  startTicks: string;
}

/** The process that has this pid now; undefined when there is none or only its corpse. */
function identify(pid: number): ProcessId | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the command in parentheses and may hold anything; the state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTicks = fields[19];
  return fields[0] === "Z" || startTicks === undefined ? undefined : { pid, startTicks };
}

/** Whether exactly this process still runs. */
export function isAlive(id: ProcessId | undefined): id is ProcessId {
  return id !== undefined && identify(id.pid)?.startTicks === id.startTicks;
}

/** Sends a signal to exactly this process and waits until it is gone. */
export async function endProcess(id: ProcessId, what: string, signal: "SIGTERM" | "SIGKILL", timeoutMs: number) {
  if (!isAlive(id)) return;
  process.kill(id.pid, signal);
  await waitFor({ what: `the end of ${what} (pid ${id.pid}) after ${signal}`, timeoutMs }, () => !isAlive(id));
}

/** The only child of a wrapper such as nsenter or unshare, which itself just waits for it. */
export function childOf(pid: number): ProcessId | undefined {
  const file = `/proc/${pid}/task/${pid}/children`;
  const child = existsSync(file) ? Number(readFileSync(file, "utf8").trim().split(" ")[0]) : 0;
  return child > 0 ? identify(child) : undefined;
}

/** Remembers a process of the cluster by name. */
export function rememberProcess(name: string, id: ProcessId): void {
  mkdirSync(PID_DIR, { recursive: true });
  writeFileSync(join(PID_DIR, `${name}.json`), JSON.stringify(id));
}

/** The process remembered by that name, whether it still runs or not. */
export function recallProcess(name: string): ProcessId | undefined {
  const file = join(PID_DIR, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ProcessId) : undefined;
}

/** Forgets a process that was seen to be gone. */
export function forgetProcess(name: string): void {
  rmSync(join(PID_DIR, `${name}.json`), { force: true });
}
