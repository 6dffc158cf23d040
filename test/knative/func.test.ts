import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
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

  type Container = Record<"livenessProbe" | "readinessProbe", { httpGet: { path: string } }>;
  const { spec } = (await api.expect("GET", path)) as unknown as {
    spec: { template: { spec: { serviceAccountName: string; containers: [Container] } } };
  };
  const [container] = spec.template.spec.containers;
  expect({
    account: spec.template.spec.serviceAccountName,
    live: container.livenessProbe.httpGet.path,
    ready: container.readinessProbe.httpGet.path,
  }).toEqual({ account: "sync-trigger", live: "/health/liveness", ready: "/health/readiness" });
});
