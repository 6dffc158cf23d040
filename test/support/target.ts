import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedCluster } from "../../dev/embedded-cluster.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { connectKubeApi, type KubeApi } from "./kube-api.ts";
import { kubeconfigOfUser } from "./kubeconfig-of-user.ts";

/**
 * The cluster that the API suite runs on: the embedded one, or with TEST_TARGET=real the one of KUBECONFIG (and
 * TEST_KUBE_CONTEXT).
 */
export type Target = {
  kind: "embedded" | "real";
  api: KubeApi;
  /** The image of examples/kraken-sync. */
  syncImage: string;
  /** A fresh namespace named after the test file and the given name; deleted by `close` unless a test failed. */
  createNamespace(name: string): Promise<string>;
  /** Stores a CronJob whose Jobs really run. */
  seedCronJob(namespace: string, cronJob: JsonObject): Promise<JsonObject>;
  /** The environment with which a function process reaches this cluster, or a proxy in front of it. */
  env(options?: { server?: string }): Promise<Record<string, string>>;
  close(options?: { keep?: boolean }): Promise<void>;
};

const syncImage = "dev.local/kraken-sync:1";

/** Opens the target for a test file. */
export async function openTarget(file: string): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-test-"));
  const isReal = process.env.TEST_TARGET === "real";
  const unmodelled: string[] = [];
  const embedded = isReal ? undefined : await openEmbedded(unmodelled);
  const kubeconfig = embedded ? join(directory, "embedded.yaml") : kubeconfigOfUser();
  if (embedded) await writeFile(kubeconfig, embedded.kubeconfig("default"));
  const api = connectKubeApi(kubeconfig, isReal ? process.env.TEST_KUBE_CONTEXT : undefined);
  const namespaces: string[] = [];

  return {
    kind: isReal ? "real" : "embedded",
    api,
    syncImage: process.env.TEST_SYNC_IMAGE ?? syncImage,
    async createNamespace(name) {
      const hash = createHash("sha256").update(`${file}\0${name}\0${process.pid}`).digest("hex").slice(0, 10);
      const namespace = `t-${hash}`;
      await api.expect("POST", "/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, annotations: { "sync-trigger.test/of": `${file} ${name}`.slice(-200) } },
      });
      namespaces.push(namespace);
      return namespace;
    },
    async seedCronJob(namespace, cronJob) {
      const manifest = { ...cronJob, metadata: { ...(cronJob.metadata as JsonObject), namespace } };
      if (embedded) return embedded.seedCronJob(manifest);
      return api.expect("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, manifest);
    },
    async env({ server } = {}) {
      if (!server) return { KUBECONFIG: await withContext(kubeconfig, directory) };
      const path = join(directory, `proxy-${new URL(server).port}.json`);
      await writeFile(path, JSON.stringify(proxyKubeconfig(server)));
      return { KUBECONFIG: path };
    },
    async close({ keep = false } = {}) {
      for (const namespace of keep ? [] : namespaces) await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
      await embedded?.close();
      await rm(directory, { recursive: true, force: true });
      if (unmodelled.length > 0) throw new Error(`the embedded cluster does not model ${unmodelled.join(", ")}`);
    },
  };
}

async function openEmbedded(unmodelled: string[]): Promise<EmbeddedCluster> {
  const { startEmbeddedCluster } = await import("../../dev/embedded-cluster.ts");
  return startEmbeddedCluster({
    images: { [syncImage]: "examples/kraken-sync" },
    onUnmodelled: (method, path) => unmodelled.push(`${method} ${path}`),
  });
}

/** The kubeconfig, in the context that TEST_KUBE_CONTEXT names. */
async function withContext(path: string, directory: string): Promise<string> {
  const context = process.env.TEST_KUBE_CONTEXT;
  if (!context || process.env.TEST_TARGET !== "real") return path;
  const text = await readFile(path, "utf8");
  const copy = join(directory, "context.yaml");
  await writeFile(copy, text.replace(/^current-context:.*$/m, `current-context: ${context}`), { mode: 0o600 });
  return copy;
}

function proxyKubeconfig(server: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    // client-node speaks plain HTTP only where this is said.
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "test-token" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
}
