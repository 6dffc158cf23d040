import { homedir } from "node:os";
import { join } from "node:path";

/** Everything a running cluster owns on disk; `down` removes it. */
export const RUN_DIR = "/var/lib/sync-trigger";

/** What is expensive to make (Go binaries, image layers) and outlives clusters and checkouts. */
export const CACHE_DIR = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sync-trigger");

/** Held by whoever brings the cluster up or takes it down. */
export const LOCK_FILE = "/run/lock/sync-trigger-cluster.lock";

/** The folder of this machinery in the checkout. */
export const CLUSTER_DIR = join(import.meta.dirname, "..");

/** The administrator's kubeconfig; its server address is reachable only inside the network namespace. */
export const KUBECONFIG = join(RUN_DIR, "admin.kubeconfig");

/** Links to the binaries of the running cluster, kubectl of the same version among them. */
export const BIN_LINK = join(RUN_DIR, "bin");

export const LOG_DIR = join(RUN_DIR, "logs");
export const PID_DIR = join(RUN_DIR, "pids");

/** The name and the file of the one network namespace in which the whole cluster lives. */
export const NETNS = "sync-trigger";
export const NETNS_FILE = `/run/netns/${NETNS}`;

/** Debian keeps the CNI plugins in the first, others in the second. */
export const CNI_BIN_DIRS = ["/usr/lib/cni", "/opt/cni/bin"];

/** Where programs are looked for; not every user's PATH names the administrators' directories. */
export const SYSTEM_PATH = [process.env.PATH, "/usr/sbin", "/sbin", "/usr/local/go/bin"].join(":");
