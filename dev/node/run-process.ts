import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/** What to run, and in what surroundings. */
export interface ProcessSpec {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

/** A process that has been started, or could not be. */
export interface RunningProcess {
  /** Asks the whole process group to end, and makes it end when the grace is over. */
  stop(graceMs: number): void;
  /** Resolves when the process has ended and its output is complete. */
  ended: Promise<ProcessEnd>;
}

type ProcessEnd = { exitCode: number } | { startError: string };

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGTERM: 15,
};

/** Starts a process in a group of its own, so that what it starts ends with it. */
export function runProcess(
  spec: ProcessSpec,
  onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void,
  onStart: () => void,
): RunningProcess {
  const { command, args, cwd, env } = spec;
  let child: ChildProcessByStdio<null, Readable, Readable>;
  try {
    child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    // What no process could be given, a zero byte for example.
    const startError = error instanceof Error ? error.message : String(error);
    return { ended: Promise.resolve({ startError }), stop: () => undefined };
  }
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const signalGroup = (signal: NodeJS.Signals) => {
    // Its number may be another process's by now.
    if (child.pid === undefined || isOver) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  child.stdout.on("data", (chunk: Buffer) => onOutput("stdout", chunk));
  child.stderr.on("data", (chunk: Buffer) => onOutput("stderr", chunk));
  child.once("spawn", onStart);
  // In a container the rest ends with its first process; here it would also hold the output open.
  child.once("exit", () => signalGroup("SIGKILL"));
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once("error", (error) => resolve({ startError: error.message }));
    // As a container runtime reports a signal.
    child.once("close", (code, signal) => resolve({ exitCode: code ?? 128 + (signalNumbers[signal ?? ""] ?? 0) }));
  }).finally(() => {
    isOver = true;
    clearTimeout(timer);
  });
  return {
    ended,
    stop: (graceMs) => {
      clearTimeout(timer);
      signalGroup(graceMs > 0 ? "SIGTERM" : "SIGKILL");
      if (graceMs > 0) timer = setTimeout(() => signalGroup("SIGKILL"), graceMs);
    },
  };
}
