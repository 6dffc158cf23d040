// Runs the func CLI, built when missing, inside the cluster's network namespace: node test/cluster/func.ts [ARGS...]
import { buildFuncCli } from "./knative/programs.ts";
import { runProgram } from "./machine/command.ts";
import { handOver } from "./machine/hand-over.ts";
import { clusterEnvironment, insideNetns } from "./netns.ts";

await runProgram(async () => {
  const func = await buildFuncCli();
  handOver(insideNetns([func, ...process.argv.slice(2)]), clusterEnvironment());
});
