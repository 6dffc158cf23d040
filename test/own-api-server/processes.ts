import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PATH } from "../cluster/machine/paths.ts";

/** A server that a test started: its output goes to a file, and it never outlives the test's own process. */
export type Server = {
  pid: number;
  /** Ends it and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Rejects when it has ended by itself, with the end of its output. */
  expectAlive(): void;
};

/** Starts a program; its output goes to `<directory>/<name>.log`. */
export function startServer(name: string, command: string, args: string[], directory: string): Server {
  const logFile = join(directory, `${name}.log`);
  const log = openSync(logFile, "a");
  const child: ChildProcess = spawn(command, args, { env: { PATH: SYSTEM_PATH }, stdio: ["ignore", log, log] });
  closeSync(log);
  const exited = once(child, "exit").catch(() => undefined); // a program that is missing is told by expectAlive
  const abandon = () => child.kill("SIGKILL");
  process.once("exit", abandon);
  return {
    pid: child.pid ?? 0,
    async end(signal) {
      process.removeListener("exit", abandon);
      if (child.exitCode === null && child.signalCode === null && child.pid) child.kill(signal);
      await exited;
    },
    expectAlive() {
      if (child.pid && child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${command} ended with ${child.exitCode}:\n${readFileSync(logFile, "utf8").slice(-2_000)}`);
    },
  };
}
