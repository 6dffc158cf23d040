import { spawn } from "node:child_process";
import { SYSTEM_PATH } from "./paths.ts";

/** How a command is run: `timeoutMs` defaults to a minute. */
export interface RunOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  input?: string;
  timeoutMs?: number;
}

/** A command that exited with an error, was killed, or ran past its deadline. */
class CommandError extends Error {
  override name = "CommandError";
}

/** Runs a command to its end and returns its stdout; the error of a failed one carries the end of its output. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { timeoutMs = 60_000, input } = options;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, PATH: SYSTEM_PATH, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A command that does not read its input closes the pipe; its exit code is what counts.
  child.stdin.on("error", () => {});
  child.stdin.end(input ?? "");

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.on("error", reject);
  child.on("close", (code, signal) => {
    const output = Buffer.concat(stdout).toString();
    if (code === 0) return resolve(output);
    const how = timedOut
      ? `was still running after ${timeoutMs / 1000} s`
      : signal
        ? `died of ${signal}`
        : `exited ${code}`;
    const tail = `${output}${Buffer.concat(stderr)}`.trim().slice(-3000);
    reject(new CommandError(`${command} ${args.join(" ")}: ${how}\n${tail}`));
  });
  return promise.finally(() => clearTimeout(timer));
}
