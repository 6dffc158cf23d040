import { spawn } from "node:child_process";

/** Runs a command with this process's own input and output, and ends as it ends. */
export function handOver([command = "", ...args]: string[], env: Record<string, string>): void {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => console.error(error.message));
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
