// Brings the tests' Kubernetes cluster up, or heals one that lost a component. The last line on stdout is
// KUBECONFIG=PATH; --install (or CI=true) installs missing Debian packages.
import { bringUp } from "./kubernetes/bring-up.ts";
import { runProgram } from "./machine/command.ts";
import { withLock } from "./machine/lock.ts";
import { KUBECONFIG, LOCK_FILE } from "./machine/paths.ts";
import { requireMachine } from "./machine/requirements.ts";

await runProgram(async () => {
  await requireMachine({ withKnative: false });
  await withLock(LOCK_FILE, 3_600_000, bringUp);
  console.log(`KUBECONFIG=${KUBECONFIG}`);
});
