import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startApiServer } from "../apiserver.ts";
import { buildNode, buildProgramImage, NODE_IMAGE } from "../images/base.ts";
import { ctr, loadBuilt } from "../images/load.ts";
import { buildPrograms } from "../machine/go-binaries.ts";
import { BIN_LINK, LOG_DIR, RUN_DIR } from "../machine/paths.ts";
import { say } from "../machine/say.ts";
import { waitFor } from "../machine/wait.ts";
import { issueCertificates } from "./certificates.ts";
import { components, ensureComponent } from "./components.ts";
import { waitUntilUsable } from "./health.ts";
import { writeKubeconfigs } from "./kubeconfig.ts";
import { createNetwork, isInitAlive, startInit } from "./namespaces.ts";
import { nodeFiles, writeNodeFiles } from "./node-files.ts";
import { kubernetesPrograms, ownPrograms } from "./programs.ts";
import { PAUSE_IMAGE } from "./settings.ts";
import { takeDown } from "./take-down.ts";

/** What the running cluster was made from; a checkout that would make another one starts anew. */
const RECIPE_FILE = join(RUN_DIR, "recipe.json");

/** Starts what of the cluster does not run, and returns when pods can be run. */
export async function bringUp(): Promise<void> {
  const kubernetes = await buildPrograms(kubernetesPrograms);
  const pause = join(await buildPrograms(ownPrograms), "pause");
  const pauseId = await buildProgramImage(PAUSE_IMAGE, pause);
  const nodeId = await buildNode();

  const recipe = JSON.stringify({ kubernetes, pause, components, node: nodeFiles() }, null, 2);
  const hasChanged = !existsSync(RECIPE_FILE) || readFileSync(RECIPE_FILE, "utf8") !== recipe;
  if (hasChanged || !isInitAlive()) await prepare(kubernetes, pause, recipe);
  await Promise.all([ensureComponent("etcd"), ensureComponent("containerd")]);
  await Promise.all([startApiServer(), loadBaseImages({ [PAUSE_IMAGE]: pauseId, [NODE_IMAGE]: nodeId })]);
  // The controller manager gives up on an API server that is not ready; so these start after it.
  const others = ["kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"] as const;
  await Promise.all(others.map(ensureComponent));
  await waitUntilUsable();
  say("the cluster is ready");
}

/** Everything that is made once for a cluster, on ground that nothing of an earlier one is left on. */
async function prepare(kubernetes: string, pause: string, recipe: string): Promise<void> {
  await takeDown();
  say("starting a new cluster");
  mkdirSync(RUN_DIR, { recursive: true, mode: 0o755 });
  await createNetwork();
  await issueCertificates();
  writeKubeconfigs();
  writeNodeFiles();
  symlinkSync(kubernetes, BIN_LINK);
  await startInit(pause);
  writeFileSync(RECIPE_FILE, recipe);
}

async function loadBaseImages(idByName: Record<string, string>): Promise<void> {
  const wait = { what: "containerd to answer", timeoutMs: 60_000, logFile: join(LOG_DIR, "containerd.log") };
  await waitFor(wait, () => ctr(["version"], 5000));
  for (const [name, id] of Object.entries(idByName)) await loadBuilt(name, id);
}
