import { join } from "node:path";
import { LOG_DIR } from "../machine/paths.ts";
import { isAlive, recallProcess } from "../machine/process.ts";
import { tailOf, waitFor } from "../machine/wait.ts";
import { kubectl, runInNetns } from "../netns.ts";
import { type ComponentName, components } from "./components.ts";

const logOf = (name: ComponentName): string => join(LOG_DIR, `${name}.log`);

/** The ports on which the components behind the API server listen once they are at work. */
const portOf = { kubelet: 10250, "kube-proxy": 10256, "kube-controller-manager": 10257, "kube-scheduler": 10259 };

const connectTo = `require("node:net").connect(Number(process.argv[1]), "127.0.0.1")
  .on("connect", () => process.exit(0)).on("error", (error) => { console.error(error.message); process.exit(1); })`;

async function waitForPort(name: keyof typeof portOf): Promise<void> {
  const isHopeless = () => !isAlive(recallProcess(name));
  await waitFor({ what: `${name} to listen`, timeoutMs: 60_000, logFile: logOf(name), isHopeless }, async () => {
    await runInNetns([process.execPath, "-e", connectTo, String(portOf[name])], { timeoutMs: 5000 });
    return true;
  });
}

/** Waits until the cluster can run pods, and says which component died if one did. */
export async function waitUntilUsable(): Promise<void> {
  for (const name of Object.keys(portOf) as (keyof typeof portOf)[]) await waitForPort(name);
  await waitFor({ what: "the node to be Ready", timeoutMs: 120_000, logFile: logOf("kubelet") }, async () => {
    const readiness = '{.items[*].status.conditions[?(@.type=="Ready")].status}';
    return (await kubectl(["get", "nodes", "-o", `jsonpath=${readiness}`])) === "True";
  });
  const what = "the default ServiceAccount";
  await waitFor({ what, timeoutMs: 60_000, logFile: logOf("kube-controller-manager") }, () =>
    kubectl(["get", "serviceaccount", "default", "-o", "name"]),
  );
  const dead = (Object.keys(components) as ComponentName[]).find((name) => !isAlive(recallProcess(name)));
  if (dead) throw new Error(`${dead} died${tailOf(logOf(dead))}`);
}
