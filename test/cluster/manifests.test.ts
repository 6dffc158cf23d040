import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocuments } from "../manifests/read-manifests.ts";
import { type Installation, install, writeOverlay } from "../support/installation.ts";
import { kubectl, kubectlWarnings } from "../support/kubectl.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";
import { richCronJob } from "./job-alterations.ts";

const overlays = readdirSync("manifests/overlays").map((name) => `overlays/${name}`);
const served = (await kubectl("api-versions")).split("\n");

const cronJobName = "nightly-sync";
const psa = "pod-security.kubernetes.io";

let target: Target;
let namespace: string;
let rights: Installation;
beforeAll(async () => {
  target = await openTarget("manifests");
  namespace = await target.createNamespace("all paths");
  await target.seedCronJob(namespace, richCronJob);
  await kubectl("label", "namespace", namespace, `${psa}/enforce=restricted`, `${psa}/warn=restricted`);
  // Knative's webhook tries a pod, and that needs its ServiceAccount.
  rights = await install({ namespace, cronJobName, resources: ["rights"] });
});
afterAll(async () => {
  await rights?.remove();
  await target?.close();
});

const paths = await Promise.all(
  ["rights", "base", ...overlays].map(async (path) => {
    const objects = parseDocuments(await kubectl("kustomize", `manifests/${path}`));
    const missing = [...new Set(objects.map(({ apiVersion }) => apiVersion))].filter((name) => !served.includes(name));
    return { path, missing, count: objects.length };
  }),
);

describe("the API server takes what ships, in a namespace that enforces Pod Security restricted", () => {
  for (const { path, missing, count } of paths) {
    const needs = missing.length > 0 ? ` (not here: the cluster has no ${missing.join(", ")})` : "";
    test.skipIf(missing.length > 0)(`${path}${needs}`, async () => {
      const overlay = await writeOverlay({ namespace, cronJobName, resources: [path] });
      const { stdout, warnings } = await kubectlWarnings("apply", "--dry-run=server", "-k", overlay);
      await rm(overlay, { recursive: true });
      expect(stdout.match(/ \(server dry run\)$/gm)).toHaveLength(count);
      expect(warnings).toEqual([]);
    });
  }
});

/** The kinds of components/monitoring by their definitions' names, and the files of these in MONITORING_CRDS. */
const operatorKinds = ["podmonitors", "prometheusrules"].map((plural) => ({
  definition: `${plural}.monitoring.coreos.com`,
  file: `monitoring.coreos.com_${plural}.yaml`,
}));

describe("with the Prometheus operator's kinds", () => {
  const { MONITORING_CRDS: directory } = process.env;
  const isServed = served.includes("monitoring.coreos.com/v1");
  const ours: string[] = [];
  beforeAll(async () => {
    if (isServed || !directory) return;
    for (const { definition, file } of operatorKinds) {
      ours.push(definition);
      await kubectl("apply", "--server-side", "-f", join(directory, file));
      const isEstablished = async () => {
        const { status } = JSON.parse(await kubectl("get", "crd", definition, "-o", "json"));
        const conditions: { type: string; status: string }[] = status?.conditions ?? []; // none at first
        return conditions.some(({ type, status }) => type === "Established" && status === "True");
      };
      await until(`${definition} to be served`, isEstablished);
    }
  });
  // A cluster's own stay.
  afterAll(async () => {
    for (const definition of ours) await kubectl("delete", "crd", definition, "--ignore-not-found");
  });

  const needs =
    isServed || directory ? "" : " (not here: neither does the cluster have the kinds nor is MONITORING_CRDS set)";
  test.skipIf(needs !== "")(`the API server takes components/monitoring${needs}`, async () => {
    const overlay = await writeOverlay({ namespace, cronJobName, resources: ["rights"], components: ["monitoring"] });
    const count = parseDocuments(await kubectl("kustomize", overlay)).length;
    const { stdout, warnings } = await kubectlWarnings("apply", "--dry-run=server", "-k", overlay);
    await rm(overlay, { recursive: true });
    expect(stdout).toMatch(/^podmonitor\.monitoring\.coreos\.com\/sync-trigger created \(server dry run\)$/m);
    expect(stdout).toMatch(/^prometheusrule\.monitoring\.coreos\.com\/sync-trigger created \(server dry run\)$/m);
    expect(stdout.match(/ \(server dry run\)$/gm)).toHaveLength(count);
    expect(warnings).toEqual([]);
  });
});
