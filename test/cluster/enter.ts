// Runs a command inside the cluster's network namespace: node test/cluster/enter.ts COMMAND [ARGS...]
import { runProgram } from "./machine/command.ts";
import { handOver } from "./machine/hand-over.ts";
import { clusterEnvironment, insideNetns } from "./netns.ts";

await runProgram(async () => {
  const command = process.argv.slice(2);
  if (command.length === 0) throw new Error("usage: enter.ts COMMAND [ARGS...]");
  handOver(insideNetns(command), clusterEnvironment());
});
