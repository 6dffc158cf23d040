import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../../functions/core/json.ts";
import { writeOverlay } from "../../support/installation.ts";
import { kubectl } from "../../support/kubectl.ts";
import { api, list, untilCondition } from "./cluster.ts";
import { copyOverlay, manifestsDirectory, type Patch } from "./copy-overlay.ts";
import { eventually } from "./eventually.ts";
import { syncCronJob } from "./sync-cronjob.ts";
import { createNamespace, isOurs, toNamespaceName } from "./test-namespace.ts";

/** An overlay on the cluster, in a namespace of its own that enforces Pod Security "restricted". */
export type Installation = {
  namespace: string;
  cronJobName: string;
  /** Where pods call it. */
  url: string;
  /** Where events are posted. */
  brokerUrl: string;
  /** The directory of its kustomization.yaml. */
  directory: string;
  remove(): Promise<void>;
};

/** Which overlay, and for which CronJob (examples/kraken-sync's unless given). */
export type Plan = {
  /** "base" is manifests/base by an overlay that adds nothing and takes no patches. */
  overlay: "kraken" | "kraken-authenticated" | "one-clock" | "plain-kubernetes" | "base";
  /** A word for the namespace's name. */
  what: string;
  cronJob?: JsonObject;
  patches?: Patch[];
};

const serving = "/apis/serving.knative.dev/v1";
const eventing = "/apis/eventing.knative.dev/v1";

/** Installs a copy of an overlay and waits until it can work. */
export async function install({ overlay, what, cronJob = syncCronJob(), patches }: Plan): Promise<Installation> {
  const namespace = toNamespaceName(what);
  const cronJobName = (cronJob.metadata as { name: string }).name;
  await createNamespace(api, namespace);
  await api.expect("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, cronJob);
  const directory =
    overlay === "base"
      ? await writeOverlay({ namespace, cronJobName, resources: ["base"] })
      : await copyOverlay(overlay, { namespace, cronJobName, patches });
  return apply(directory, namespace, cronJobName, () => rm(directory, { recursive: true }));
}

/** Installs examples/kraken-sync and overlays/kraken byte for byte as they are shipped. */
export async function installAsShipped(): Promise<Installation> {
  const namespace = "kraken";
  if (await isOurs(api, namespace)) await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
  await eventually("the former run's namespace to be gone", async () => !(await isOurs(api, namespace)), 120_000);
  await createNamespace(api, namespace);
  await kubectl("apply", "-k", join(manifestsDirectory, "../examples/kraken-sync"));
  return apply(join(manifestsDirectory, "overlays/kraken"), namespace, "kraken-sync");
}

async function apply(
  directory: string,
  namespace: string,
  cronJobName: string,
  tidy: () => Promise<void> = async () => undefined,
): Promise<Installation> {
  // Knative's webhooks may be busy for a moment; to apply the same again changes nothing.
  await eventually(`${directory} to be applied`, () => kubectl("apply", "-k", directory));
  await untilInstalled(namespace);
  return {
    namespace,
    cronJobName,
    url: `http://sync-trigger.${namespace}.svc.cluster.local`,
    brokerUrl: `http://broker-ingress.knative-eventing.svc.cluster.local/${namespace}/sync-trigger`,
    directory,
    async remove() {
      // What is cluster-wide first: the policy without its CronJob would deny every Job of the namespace.
      const remove = () => kubectl("delete", "-k", directory, "--ignore-not-found", "--wait=false");
      await eventually(`${directory} to be deleted`, async () => (await remove()) !== undefined);
      await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
      await tidy();
    },
  };
}

/** Waits for what the namespace has of it. The Service comes first: a Trigger is Ready without it. */
async function untilInstalled(namespace: string): Promise<void> {
  const kinds: [path: string, condition: string][] = [
    [`${serving}/namespaces/${namespace}/services`, "Ready"],
    [`/apis/apps/v1/namespaces/${namespace}/deployments`, "Available"],
    [`${eventing}/namespaces/${namespace}/triggers`, "Ready"],
    [`/apis/sinks.knative.dev/v1alpha1/namespaces/${namespace}/jobsinks`, "Ready"],
    [`/apis/sources.knative.dev/v1/namespaces/${namespace}/pingsources`, "Ready"],
  ];
  for (const [path, condition] of kinds) {
    for (const { metadata } of await list<{ metadata: { name: string } }>(path)) {
      // A revision's own Deployment may be at zero already; the Service spoke for it.
      if (path.endsWith("/deployments") && metadata.name !== "sync-trigger") continue;
      await untilCondition(`${path}/${metadata.name}`, condition);
    }
  }
}
