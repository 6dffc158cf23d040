// Brings the tests' cluster up and installs DNS, Knative Serving with Kourier, and Knative Eventing. The last line on
// stdout is KUBECONFIG=PATH; --install (or CI=true) installs missing Debian packages.

import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadKnativeImages } from "./knative/images.ts";
import { installKnative } from "./knative/install.ts";
import { bringUp } from "./kubernetes/bring-up.ts";
import { runProgram } from "./machine/command.ts";
import { withLock } from "./machine/lock.ts";
import { KUBECONFIG, LOCK_FILE, RUN_DIR } from "./machine/paths.ts";
import { requireMachine } from "./machine/requirements.ts";
import { say } from "./machine/say.ts";
import { clusterEnvironment, insideNetns } from "./netns.ts";

/** Notes that the running cluster's Knative was seen at work. */
const PROVED_FILE = join(RUN_DIR, "knative.proved");

function proveKnative(): void {
  if (existsSync(PROVED_FILE)) return;
  const smoke = join(import.meta.dirname, "knative-smoke.ts");
  const [nsenter = "", ...args] = insideNetns([process.execPath, smoke]);
  const { status } = spawnSync(nsenter, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...clusterEnvironment() },
    timeout: 600_000,
  });
  if (status !== 0) throw new Error("Knative is installed but does not work");
  writeFileSync(PROVED_FILE, "");
}

await runProgram(async () => {
  await requireMachine({ withKnative: true });
  await withLock(LOCK_FILE, 3_600_000, async () => {
    await bringUp();
    await loadKnativeImages();
    await installKnative();
    proveKnative();
    say("Knative is ready");
  });
  console.log(`KUBECONFIG=${KUBECONFIG}`);
});
