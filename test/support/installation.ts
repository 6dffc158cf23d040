import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { KubeApi } from "./kube-api.ts";
import { kubectl } from "./kubectl.ts";
import { connectAs } from "./service-account.ts";

const manifests = join(import.meta.dirname, "../../manifests");

/** Which of the manifests, and for what: as an overlay states it. */
export type InstallationPlan = {
  namespace: string;
  cronJobName: string;
  /** Directories of manifests/, such as "rights". */
  resources: string[];
  /** Components by name, such as "clone-only". */
  components?: string[];
};

/** Some of the manifests on the cluster. */
export type Installation = {
  /** The API server as the function's own ServiceAccount sees it. */
  asFunction: KubeApi;
  /** A kubeconfig for that account. */
  kubeconfig: string;
  remove(): Promise<void>;
};

/** Writes an overlay as README tells an operator to, and gives its directory. Names and namespace stand in it once each. */
export async function writeOverlay(plan: InstallationPlan): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-overlay-"));
  const at = (...path: string[]) => relative(directory, join(manifests, ...path));
  const overlay = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    namespace: plan.namespace,
    patches: [
      {
        target: { kind: "ConfigMap", name: "sync-trigger" },
        patch: JSON.stringify([{ op: "replace", path: "/data/CRONJOB_NAME", value: plan.cronJobName }]),
      },
    ],
    resources: plan.resources.map((name) => at(name)),
    components: (plan.components ?? []).map((name) => at("components", name)),
    transformers: [at("wiring")],
  };
  await writeFile(join(directory, "kustomization.yaml"), JSON.stringify(overlay));
  return directory;
}

/** Applies the plan by `kubectl apply -k`; its namespace must exist. */
export async function install(plan: InstallationPlan): Promise<Installation> {
  const overlay = await writeOverlay(plan);
  await kubectl("apply", "-k", overlay);
  const { api, kubeconfig, forget } = await connectAs("sync-trigger", plan.namespace);
  return {
    asFunction: api,
    kubeconfig,
    async remove() {
      await kubectl("delete", "-k", overlay, "--ignore-not-found", "--wait=false");
      await rm(overlay, { recursive: true });
      await forget();
    },
  };
}
