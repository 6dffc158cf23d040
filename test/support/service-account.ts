import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { connectKubeApi, type KubeApi } from "./kube-api.ts";
import { kubectl } from "./kubectl.ts";

/** The API server as a ServiceAccount sees it, and a kubeconfig for that account. */
export type AccountAccess = { api: KubeApi; kubeconfig: string; forget(): Promise<void> };

/** Connects by a ServiceAccount's token alone: a client certificate of ours would win over it. */
export async function connectAs(serviceAccount: string, namespace: string): Promise<AccountAccess> {
  const token = await kubectl("create", "token", serviceAccount, "--namespace", namespace, "--duration", "1h");
  const own = new KubeConfig();
  own.loadFromDefault();
  if (process.env.TEST_KUBE_CONTEXT) own.setCurrentContext(process.env.TEST_KUBE_CONTEXT);
  const cluster = own.getCurrentCluster();
  if (!cluster) throw new Error("KUBECONFIG names no cluster");
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [cluster],
    users: [{ name: serviceAccount, token: token.trim() }],
    contexts: [{ name: "account", cluster: cluster.name, user: serviceAccount, namespace }],
    currentContext: "account",
  });
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-account-"));
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, config.exportConfig(), { mode: 0o600 });
  return { api: connectKubeApi(kubeconfig), kubeconfig, forget: () => rm(directory, { recursive: true }) };
}
