import { spawn } from "node:child_process";

export interface ProcessSpec {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

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
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let timer: NodeJS.Timeout | undefined;
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  child.stdout.on("data", (chunk: Buffer) => onOutput("stdout", chunk));
  child.stderr.on("data", (chunk: Buffer) => onOutput("stderr", chunk));
  child.once("spawn", onStart);
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once("error", (error) => resolve({ startError: error.message }));
    // In a container the rest ends with its first process; here it would also hold the output open.
    child.once("exit", () => signalGroup("SIGKILL"));
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      // As a container runtime reports a signal.
      resolve({ exitCode: code ?? 128 + (signalNumbers[signal ?? ""] ?? 0) });
    });
  });
  return {
    ended,
    stop: (graceMs) => {
      if (graceMs <= 0) {
        signalGroup("SIGKILL");
        return;
      }
      signalGroup("SIGTERM");
      clearTimeout(timer);
      timer = setTimeout(() => signalGroup("SIGKILL"), graceMs);
    },
  };
}
