import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocuments } from "../manifests/read-manifests.ts";
import { writeOverlay } from "../support/installation.ts";
import { kubectl, kubectlWarnings } from "../support/kubectl.ts";
import { openTarget, type Target } from "../support/target.ts";
import { richCronJob } from "./job-alterations.ts";

const overlays = readdirSync("manifests/overlays").map((name) => `overlays/${name}`);
const served = (await kubectl("api-versions")).split("\n");

let target: Target;
let namespace: string;
beforeAll(async () => {
  target = await openTarget("manifests");
  namespace = await target.createNamespace("all paths");
  await target.seedCronJob(namespace, richCronJob);
  const restricted = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
  };
  const headers = { "content-type": "application/merge-patch+json" };
  await target.api.expect("PATCH", `/api/v1/namespaces/${namespace}`, { metadata: { labels: restricted } }, headers);
});
afterAll(async () => {
  await target?.close();
});

const paths = await Promise.all(
  ["rights", "base", ...overlays].map(async (path) => {
    const objects = parseDocuments(await kubectl("kustomize", `manifests/${path}`));
    const missing = [...new Set(objects.map(({ apiVersion }) => apiVersion))].filter((name) => !served.includes(name));
    return { path, missing };
  }),
);

describe("the API server takes what ships, in a namespace that enforces Pod Security restricted", () => {
  for (const { path, missing } of paths) {
    const needs = missing.length > 0 ? ` (not here: the cluster has no ${missing.join(", ")})` : "";
    test.skipIf(missing.length > 0)(`${path}${needs}`, async () => {
      const overlay = await writeOverlay({ namespace, cronJobName: "nightly-sync", resources: [path] });
      const { stdout, warnings } = await kubectlWarnings("apply", "--dry-run=server", "-k", overlay);
      await rm(overlay, { recursive: true });
      expect(stdout).toContain("serviceaccount/sync-trigger created (server dry run)");
      expect(warnings).toEqual([]);
    });
  }
});
