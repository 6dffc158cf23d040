// Level 2: the API suite and the cluster's own tests on the real cluster, or on the one that TEST_KUBE_CONTEXT names.
// Arguments go to vitest: npm run test:cluster -- test/api/faults
import { spawn } from "node:child_process";
import { once } from "node:events";
import { requireProgram } from "../support/debian-package.ts";
import { loadImage } from "./images.ts";
import { findMonitoringCrds } from "./kubernetes/monitoring-crds.ts";
import { clusterEnvironment, insideNetns } from "./netns.ts";

const suite = ["vitest", "run", "--project", "api", "--project", "cluster*", ...process.argv.slice(2)];
const isOwnCluster = process.env.TEST_KUBE_CONTEXT === undefined;

if (isOwnCluster) {
  await run(process.execPath, ["test/cluster/up.ts"], {});
  await loadImage("dev.local/kraken-sync:1", {
    context: "examples/kraken-sync",
    buildArgs: { BASE: "dev.local/node:24" },
  });
}
const context = isOwnCluster ? [] : [`--context=${process.env.TEST_KUBE_CONTEXT}`];
// Before the first policy comes and goes (kubernetes#130887; manifests/policy-keeper says more).
await runInCluster(["kubectl", "apply", "--server-side", "-k", "manifests/policy-keeper", ...context]);
// Fetched out here: inside, only the cluster can be reached.
const own = isOwnCluster ? { MONITORING_CRDS: await findMonitoringCrds() } : {};
await requireProgram("promtool", "prometheus").catch(() => {}); // the test that needs it says so
await runInCluster(suite, { ...own, TEST_TARGET: "real" });

async function runInCluster(command: string[], env: Record<string, string> = {}): Promise<void> {
  const [program = "", ...args] = isOwnCluster ? insideNetns(command) : command;
  await run(program, args, { ...(isOwnCluster ? clusterEnvironment() : {}), ...env });
}

async function run(command: string, args: string[], env: Record<string, string>): Promise<void> {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exit(typeof code === "number" ? code : 1);
}
