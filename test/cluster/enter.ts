// Runs a command inside the cluster's network namespace: node test/cluster/enter.ts COMMAND [ARGS...]
import { spawn } from "node:child_process";
import { clusterEnvironment, insideNetns } from "./netns.ts";

const command = process.argv.slice(2);
const [nsenter = "", ...args] = insideNetns(command.length > 0 ? command : [process.env.SHELL ?? "sh"]);
const child = spawn(nsenter, args, { stdio: "inherit", env: { ...process.env, ...clusterEnvironment() } });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
