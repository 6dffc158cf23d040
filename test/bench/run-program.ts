import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findFreePort } from "../support/free-port.ts";
import { createMemoryGroup } from "./memory-group.ts";
import type { Program } from "./programs.ts";
import type { Stage } from "./stage.ts";

/** A program under measurement. */
export type Running = {
  port: number;
  /** From exec until its port took a connection, ms. */
  readyMs: number;
  sinceExecMs(): number;
  /** CPU time of all its threads so far, ms. */
  cpuMs(): number;
  rssMb(): number;
  stop(): Promise<void>;
};

const account = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Waits for a line before exec, so that neither this nor the mounts count. */
const script = `echo $$ > "$GROUP" && unset GROUP && mount -t tmpfs none /run && mkdir -p ${account} && mount --bind "$0" ${account} && echo staged && read -r _ && exec "$@"`;
const startTimeoutMs = 60_000;

/** Starts a program as in a pod of the stage. Its log goes to a file, as it would under a container runtime. */
export async function runProgram({ command }: Program, stage: Stage): Promise<Running> {
  const port = await findFreePort();
  const group = createMemoryGroup();
  const log = openSync(join(stage.mounted, "log"), "a");
  const child = spawn("unshare", ["--mount", "sh", "-c", `${script} >&3 2>&3`, stage.mounted, ...command], {
    env: {
      PATH: process.env.PATH ?? "",
      HOME: "/nonexistent",
      PORT: String(port),
      GROUP: group.file,
      ...stage.environment,
    },
    stdio: ["pipe", "pipe", "inherit", log],
  });
  closeSync(log);
  const exited = once(child, "exit").finally(group.remove);
  await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  const execAtMs = performance.now();
  child.stdin?.write("\n");
  while (!(await canConnect(port))) {
    if (child.exitCode !== null || performance.now() - execAtMs > startTimeoutMs) {
      child.kill("SIGKILL");
      await exited;
      throw new Error(
        `${command.join(" ")} did not start: ${readFileSync(join(stage.mounted, "log"), "utf8").slice(-2_000)}`,
      );
    }
    await pause(1);
  }
  const pid = child.pid ?? 0;
  return {
    port,
    readyMs: performance.now() - execAtMs,
    sinceExecMs: () => performance.now() - execAtMs,
    cpuMs: () => cpuOfProcessMs(pid),
    rssMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024,
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/**
 * CPU time of a whole process, ms. The scheduler counts nanoseconds, but for living threads alone; what /proc/PID/stat has
 * is of those that have ended too, in steps of ten ms: the larger of the two is nearer.
 */
export function cpuOfProcessMs(pid: number): number {
  const living = sum(readdirSync(`/proc/${pid}/task`).map((task) => cpuOfTaskMs(`${pid}/task/${task}`)));
  return Math.max(living, cpuWithEndedMs(pid));
}

/** A file of /proc; empty where its process or thread has just ended. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}

function cpuOfTaskMs(task: string): number {
  return Number(readProc(`${task}/schedstat`).split(" ")[0]) / 1e6;
}

function cpuWithEndedMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before them may hold spaces, but never the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (isConnected: boolean) => {
      socket.destroy();
      resolve(isConnected);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
