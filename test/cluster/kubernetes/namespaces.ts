import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { LOG_DIR, NETNS, NETNS_FILE, RUN_DIR, SYSTEM_PATH } from "../machine/paths.ts";
import {
  childOf,
  endProcess,
  forgetProcess,
  isAlive,
  type ProcessId,
  recallProcess,
  rememberProcess,
} from "../machine/process.ts";
import { run } from "../machine/run.ts";
import { waitFor } from "../machine/wait.ts";
import { NODE_ADDRESS } from "./settings.ts";

/** The name under which process 1 of the cluster is remembered. */
const INIT = "init";

/**
 * The usual places of containerd, CNI and kubelet. Inside the cluster's mount namespace each is a directory of the
 * run directory, so that a container engine of the machine itself is never touched.
 */
export const PRIVATE_DIRS = [
  "/etc/cni",
  "/run/containerd",
  "/var/lib/cni",
  "/var/lib/containerd",
  "/var/lib/kubelet",
  "/var/log/containers",
  "/var/log/pods",
];

/** Where a private directory lies for those outside. */
export function outsidePath(privateDir: string): string {
  return join(RUN_DIR, "private", privateDir);
}

/** Makes the network namespace: loopback, the node's address on a bridge, and forwarding between pods. */
export async function createNetwork(): Promise<void> {
  if (existsSync(NETNS_FILE)) return;
  await run("ip", ["netns", "add", NETNS]);
  const setUp = `
    set -e
    ip link set lo up
    ip link add node0 type bridge
    ip address add ${NODE_ADDRESS}/24 dev node0
    ip link set node0 up
    # A packet to a Service needs a route before kube-proxy's rules can give it another address.
    ip route add default dev node0
    echo 1 > /proc/sys/net/ipv4/ip_forward
    test -e /proc/sys/net/bridge || modprobe br_netfilter
    echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables`;
  await run("nsenter", [`--net=${NETNS_FILE}`, "--", "sh", "-c", setUp]);
}

/**
 * Starts process 1 of the cluster's own process and mount namespaces. When it ends, the kernel ends every process in
 * them, containers included, and drops every mount: nothing that a component leaves behind can outlive the cluster.
 */
export async function startInit(pauseProgram: string): Promise<void> {
  mkdirSync(LOG_DIR, { recursive: true });
  const mounts = PRIVATE_DIRS.map((directory) => {
    mkdirSync(directory, { recursive: true });
    mkdirSync(outsidePath(directory), { recursive: true });
    return `mount --bind ${outsidePath(directory)} ${directory}`;
  });
  const script = ["set -e", ...mounts, `exec ${pauseProgram}`].join("\n");
  const unshare = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private"];
  const init = await startWrapped(INIT, ["nsenter", `--net=${NETNS_FILE}`, "--", ...unshare, "sh", "-c", script]);
  const logFile = join(LOG_DIR, `${INIT}.log`);
  await waitFor({ what: "the private mounts", timeoutMs: 10_000, everyMs: 10, logFile }, () => {
    return readFileSync(`/proc/${init.pid}/comm`, "utf8").trim() === basename(pauseProgram);
  });
}

/** Starts a program inside the cluster's network, mount and process namespaces. */
export async function startInside(name: string, command: string[]): Promise<void> {
  const init = recallProcess(INIT);
  if (!isAlive(init))
    throw new Error(`cannot start ${name}: process 1 of the cluster is gone; run "npm run cluster:up"`);
  await startWrapped(name, ["nsenter", "--target", String(init.pid), "--net", "--mount", "--pid", "--", ...command]);
}

/** Starts a wrapper that forks the real process and waits for it, and remembers the real one. */
async function startWrapped(name: string, [wrapper = "", ...args]: string[]): Promise<ProcessId> {
  const logFile = join(LOG_DIR, `${name}.log`);
  const log = openSync(logFile, "a");
  const env = { ...process.env, PATH: SYSTEM_PATH };
  const child = spawn(wrapper, args, { detached: true, stdio: ["ignore", log, log], cwd: "/", env });
  closeSync(log);
  child.on("error", () => {});
  child.unref();
  const isHopeless = () => child.pid === undefined || child.exitCode !== null;
  const wait = { what: `${name} to start`, timeoutMs: 10_000, everyMs: 10, logFile, isHopeless };
  const started = await waitFor(wait, () => (child.pid === undefined ? undefined : childOf(child.pid)));
  rememberProcess(name, started);
  return started;
}

/** Whether the namespaces, and with them possibly a cluster, exist. */
export function isInitAlive(): boolean {
  return isAlive(recallProcess(INIT));
}

/** Ends everything inside the cluster's namespaces and waits until it is gone. */
export async function endInit(): Promise<void> {
  const init = recallProcess(INIT);
  // Process 1 is gone only when everything else in its namespace is: the kernel sees to the order.
  if (init) await endProcess(init, "process 1 of the cluster", "SIGKILL", 60_000);
  forgetProcess(INIT);
}

/** Deletes the network namespace; processes of others that still use it keep it alive, nameless. */
export async function deleteNetwork(): Promise<void> {
  if (existsSync(NETNS_FILE)) await run("ip", ["netns", "delete", NETNS]);
}
