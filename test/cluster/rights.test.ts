import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { type Installation, install } from "../support/installation.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { grantingDirectories, rightsNeededOf } from "../support/rights.ts";
import { rightsOf, rightsOfAnybody } from "../support/rights-on-cluster.ts";
import { openTarget, type Target } from "../support/target.ts";
import { richCronJob } from "./job-alterations.ts";

let target: Target;
let keep = false;
const installations: Installation[] = [];

beforeAll(async () => {
  target = await openTarget("rights");
});
beforeEach(({ onTestFailed }) => {
  onTestFailed(() => {
    keep = true;
  });
});
afterAll(async () => {
  if (!keep) for (const installation of installations) await installation.remove();
  await target?.close({ keep });
});

const cronJobName = "nightly-sync";

async function arrange(components: string[], what = "with") {
  const namespace = await target.createNamespace(`${what} ${components}`);
  await target.seedCronJob(namespace, richCronJob);
  await target.seedCronJob(namespace, { ...richCronJob, metadata: { name: "another" } });
  const installation = await install({ resources: ["rights"], components, namespace, cronJobName });
  installations.push(installation);
  return { namespace, asFunction: installation.asFunction };
}

const rights = "manifests/rights";
const toComponent = (directory: string) => directory.replace("manifests/components/", "");

test.each(grantingDirectories)("%s grants exactly what the code asks of it", async (directory) => {
  const { namespace, asFunction } = await arrange(directory === rights ? [] : [toComponent(directory)]);
  const common = await rightsOfAnybody(namespace);
  expect(common.length, "what every ServiceAccount may").toBeGreaterThan(0);
  const own = (await rightsOf(asFunction, namespace)).filter((right) => !common.includes(right));
  const needed = [rights, directory].flatMap((path) => rightsNeededOf(path, cronJobName));
  expect(own).toEqual([...new Set(needed)].sort());
});

describe("with the rights alone", () => {
  let namespace: string;
  let asFunction: KubeApi;
  let other: string;
  beforeAll(async () => {
    ({ namespace, asFunction } = await arrange([], "alone"));
    other = await target.createNamespace("other");
    await target.seedCronJob(other, richCronJob);
  });

  const job: JsonObject = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "probe" },
    spec: { suspend: true, template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } },
  };

  test.each([
    ["get its CronJob", "GET", () => `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`, 200],
    ["create a Job", "POST", () => `/apis/batch/v1/namespaces/${namespace}/jobs`, 201],
    ["get a Job", "GET", () => `/apis/batch/v1/namespaces/${namespace}/jobs/probe`, 200],
    ["get another CronJob", "GET", () => `/apis/batch/v1/namespaces/${namespace}/cronjobs/another`, 403],
    ["list CronJobs", "GET", () => `/apis/batch/v1/namespaces/${namespace}/cronjobs`, 403],
    ["change its CronJob", "PATCH", () => `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`, 403],
    ["delete its CronJob", "DELETE", () => `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`, 403],
    ["list Jobs", "GET", () => `/apis/batch/v1/namespaces/${namespace}/jobs`, 403],
    ["watch Jobs", "GET", () => `/apis/batch/v1/namespaces/${namespace}/jobs?watch=1&timeoutSeconds=1`, 403],
    ["change a Job", "PATCH", () => `/apis/batch/v1/namespaces/${namespace}/jobs/probe`, 403],
    ["delete a Job", "DELETE", () => `/apis/batch/v1/namespaces/${namespace}/jobs/probe`, 403],
    ["list Pods", "GET", () => `/api/v1/namespaces/${namespace}/pods`, 403],
    ["create a Pod", "POST", () => `/api/v1/namespaces/${namespace}/pods`, 403],
    ["list Secrets", "GET", () => `/api/v1/namespaces/${namespace}/secrets`, 403],
    ["get a Secret", "GET", () => `/api/v1/namespaces/${namespace}/secrets/any`, 403],
    ["get its own settings", "GET", () => `/api/v1/namespaces/${namespace}/configmaps/sync-trigger`, 403],
    [
      "get a CronJob of that name elsewhere",
      "GET",
      () => `/apis/batch/v1/namespaces/${other}/cronjobs/${cronJobName}`,
      403,
    ],
    ["create a Job elsewhere", "POST", () => `/apis/batch/v1/namespaces/${other}/jobs`, 403],
    ["list Jobs of all namespaces", "GET", () => "/apis/batch/v1/jobs", 403],
    ["list namespaces", "GET", () => "/api/v1/namespaces", 403],
  ])("the function's ServiceAccount asking to %s", async (_what, method, path, status) => {
    const body = method === "POST" ? job : method === "PATCH" ? {} : undefined;
    const headers: Record<string, string> =
      method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {};
    expect((await asFunction.call(method, path(), body, headers)).status).toBe(status);
  });
});
