import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fromJSONSchema } from "zod";
import type { FuncFile } from "../manifests/manifest.ts";
import { install as installManifests } from "../support/installation.ts";
import { api, untilCondition } from "./support/cluster.ts";
import { trigger } from "./support/jobs.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";
import { createNamespace, toNamespaceName } from "./support/test-namespace.ts";

const image = "dev.local/sync-trigger:0.1.0";
const namespace = toNamespaceName("func");
let directory: string;

beforeAll(async () => {
  await createNamespace(api, namespace);
  const cronJob = syncCronJob({ isIdle: true });
  await api.expect("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, cronJob);
  await installManifests({ namespace, cronJobName: "kraken-sync", resources: ["rights"] });
  // func writes what it did into func.yaml: it gets a copy.
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-func-"));
  for (const file of ["func.yaml", "package.json"]) await cp(file, join(directory, file));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
});

test("README's func deploy with func.yaml makes a Service that runs the CronJob", async () => {
  const func = process.env.FUNC_CLI ?? "func";
  const readme = await readFile("README.md", "utf8");
  const [, line = ""] = /^func (deploy .*)$/m.exec(readme) ?? [];
  const asPrinted = line.replace("REGISTRY/sync-trigger:TAG", image).split(" ");
  expect(asPrinted).toContain(image);
  const args = [...asPrinted, "--namespace", namespace, "--path", directory];
  await promisify(execFile)(func, args, { timeout: 120_000 });

  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}/services/sync-trigger`;
  await untilCondition(path, "Ready");
  const url = `http://sync-trigger.${namespace}.svc.cluster.local`;
  const { status, job } = await trigger({ url });
  expect([status, job?.namespace]).toEqual([200, namespace]);
  expect(job?.name).toMatch(/^kraken-sync-m/);

  const { metadata, spec } = (await api.expect("GET", path)) as unknown as Service;
  const [{ readinessProbe, livenessProbe, envFrom, image: deployed }] = spec.template.spec.containers;
  expect({
    account: spec.template.spec.serviceAccountName,
    visibility: metadata.labels["networking.knative.dev/visibility"],
    image: deployed,
    settings: envFrom,
    live: livenessProbe.httpGet.path,
    ready: readinessProbe.httpGet.path,
  }).toEqual({
    account: "sync-trigger",
    visibility: "cluster-local",
    image,
    settings: [{ configMapRef: { name: "sync-trigger" } }],
    live: "/health/liveness",
    ready: "/health/readiness",
  });
});

const { FUNC_SCHEMA } = process.env;

describe.skipIf(!FUNC_SCHEMA)("func's own schema of func.yaml", () => {
  async function findIssues(edit: (func: FuncFile) => object): Promise<object[] | undefined> {
    const schema = fromJSONSchema(JSON.parse(await readFile(FUNC_SCHEMA ?? "", "utf8")), { defaultTarget: "draft-4" });
    return schema.safeParse(edit(parse(await readFile("func.yaml", "utf8")))).error?.issues;
  }

  test("takes ours", async () => {
    expect(await findIssues((func) => func)).toBeUndefined();
  });

  test.each<[string, (func: FuncFile) => object, object]>([
    ["a field that it does not know", (func) => ({ ...func, nobody: "knows" }), { path: [], keys: ["nobody"] }],
    [
      "one deeper down",
      ({ deploy, ...func }) => ({ ...func, deploy: { ...deploy, timeoutSeconds: 300 } }),
      { path: ["deploy"], keys: ["timeoutSeconds"] },
    ],
    ["a value of another type", (func) => ({ ...func, name: 123 }), { path: ["name"], expected: "string" }],
    [
      "a value that is none of the listed",
      (func) => ({ ...func, build: { builder: "smith" } }),
      { path: ["build", "builder"] },
    ],
  ])("refuses %s", async (_what, edit, issue) => {
    expect(await findIssues(edit)).toEqual([expect.objectContaining(issue)]);
  });
});

type Probe = { httpGet: { path: string } };
type Container = { livenessProbe: Probe; readinessProbe: Probe; envFrom: object[]; image: string };
type Service = {
  metadata: { labels: Record<string, string> };
  spec: { template: { spec: { serviceAccountName: string; containers: [Container] } } };
};
