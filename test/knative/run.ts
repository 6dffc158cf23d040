// Level 3: the manifests as shipped, on real Knative: on our own cluster, or on the one that TEST_KUBE_CONTEXT names.
// Arguments go to vitest: npm run test:knative -- test/knative/events
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { loadCurlImage, loadPageImage } from "../cluster/images/page.ts";
import { loadImage } from "../cluster/images.ts";
import { buildFuncCli, findFuncSchema } from "../cluster/knative/programs.ts";
import { clusterEnvironment, insideNetns } from "../cluster/netns.ts";

const suite = ["vitest", "run", "--project", "knative", "--project", "knative-outage", ...process.argv.slice(2)];
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const isOwnCluster = process.env.TEST_KUBE_CONTEXT === undefined;

if (isOwnCluster) {
  await run([process.execPath, "test/cluster/knative-up.ts"]);
  await run([process.execPath, "build.ts"]);
  const base = { BASE: "dev.local/node:24" };
  const ours = { ...base, BUNDLE: "prebuilt", VERSION: version };
  await loadImage(`dev.local/sync-trigger:${version}`, { context: ".", buildArgs: ours });
  await loadImage("dev.local/kraken-sync:1", { context: "examples/kraken-sync", buildArgs: base });
  await loadPageImage("dev.local/settings-page:0.1.0");
  await loadCurlImage();
}
const context = isOwnCluster ? [] : [`--context=${process.env.TEST_KUBE_CONTEXT}`];
// Before the first policy comes and goes (kubernetes#130887; manifests/policy-keeper says more).
await runInCluster(["kubectl", "apply", "--server-side", "-k", "manifests/policy-keeper", ...context]);
await runInCluster([process.execPath, "test/knative/clean-up.ts"]);
const own = isOwnCluster ? { FUNC_CLI: await buildFuncCli(), FUNC_SCHEMA: await findFuncSchema() } : {};
await runInCluster(suite, { ...own, TEST_RUN: String(process.pid) });

async function runInCluster(command: string[], env: Record<string, string> = {}): Promise<void> {
  if (isOwnCluster) await run(insideNetns(command), { ...clusterEnvironment(), ...env });
  else await run(command, env);
}

async function run([program = "", ...args]: string[], env: Record<string, string> = {}): Promise<void> {
  const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exit(typeof code === "number" ? code : 1);
}
