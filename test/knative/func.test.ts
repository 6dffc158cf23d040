import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { fromJSONSchema } from "zod";
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

test("func deploy --build=false with func.yaml makes a Service that runs the CronJob", async () => {
  const func = process.env.FUNC_CLI ?? "func";
  const flags = ["--build=false", "--push=false", "--image", image, "--namespace", namespace, "--path", directory];
  await promisify(execFile)(func, ["deploy", ...flags], { timeout: 120_000 });

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

test.skipIf(!FUNC_SCHEMA)("func.yaml is valid by func's own schema", async () => {
  const schema = fromJSONSchema(JSON.parse(await readFile(FUNC_SCHEMA ?? "", "utf8")), { defaultTarget: "draft-4" });
  expect(schema.safeParse(parse(await readFile("func.yaml", "utf8"))).error?.issues).toBeUndefined();
});

type Probe = { httpGet: { path: string } };
type Container = { livenessProbe: Probe; readinessProbe: Probe; envFrom: object[]; image: string };
type Service = {
  metadata: { labels: Record<string, string> };
  spec: { template: { spec: { serviceAccountName: string; containers: [Container] } } };
};
