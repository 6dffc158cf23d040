import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { idleCronJob } from "../support/cronjobs.ts";
import type { KubeApi } from "../support/kube-api.ts";

/** Where the function's CronJob is; its Jobs are suspended, because nothing here runs pods. */
export const installed = { namespace: "loaded", cronJobName: "sync" };

/** Makes the namespace with its CronJob. */
export async function seed(api: KubeApi): Promise<void> {
  const { namespace } = installed;
  await api.expect("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const cronJob = idleCronJob(installed.cronJobName);
  await api.expect("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, cronJob);
}

/** The settings of a function process behind that address, as an administrator. */
export async function settingsFor(
  directory: string,
  port: number,
  adminKubeconfig: string,
): Promise<Record<string, string>> {
  const config = JSON.parse(await readFile(adminKubeconfig, "utf8"));
  config.clusters[0].cluster.server = `https://127.0.0.1:${port}`;
  const path = join(directory, `through-${port}.kubeconfig`);
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return { KUBECONFIG: path, CRONJOB_NAME: installed.cronJobName, CRONJOB_NAMESPACE: installed.namespace };
}
