import { beforeAll, expect, test } from "vitest";
import { requestInCluster } from "../cluster/cluster-http.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { rightsNeededOf } from "../support/rights.ts";
import { rightsOf, rightsOfAnybody } from "../support/rights-on-cluster.ts";
import { connectAs } from "../support/service-account.ts";
import { all403, type Call, callsBeyondRights, statusesOf } from "./support/calls-beyond-rights.ts";
import { api } from "./support/cluster.ts";
import { type Installation, install } from "./support/install.ts";
import { trigger } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

let base: Installation;
let asFunction: KubeApi;
beforeAll(async () => {
  base = await install({
    overlay: "base",
    what: "base",
    cronJob: syncCronJob({ name: "nightly-report", isIdle: true }),
  });
  ({ api: asFunction } = await connectAs("sync-trigger", base.namespace));
});
removeAfterwards(() => [base]);

test("the base alone makes Jobs, and says which component the reading routes lack", async () => {
  const { status, outcome, job } = await trigger(base);
  expect([status, outcome, job?.namespace]).toEqual([200, "created", base.namespace]);
  expect(job?.name).toMatch(/^nightly-report-m/);
  const runs = await requestInCluster(`${base.url}/jobs`);
  expect([runs.status, JSON.parse(runs.body)]).toEqual([
    501,
    expect.objectContaining({
      type: "urn:sync-trigger:component-missing",
      detail: expect.stringContaining("manifests/components/jobs-api"),
    }),
  ]);
});

test("its ServiceAccount may do what the code asks of manifests/rights, and beyond it only what every one may", async () => {
  const common = await rightsOfAnybody(base.namespace);
  expect(common.length, "what every ServiceAccount may").toBeGreaterThan(0);
  const needed = rightsNeededOf("manifests/rights", base.cronJobName);
  expect((await rightsOf(asFunction, base.namespace)).sort()).toEqual([...common, ...needed].sort());
});

test("other CronJobs, other namespaces, Secrets, pods, lists and deletes are 403", async () => {
  const { namespace } = base;
  // Another CronJob, really there: Kubernetes answers 403 before it looks.
  await api.expect("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, syncCronJob({ name: "another" }));
  const calls: Call[] = [
    ...callsBeyondRights(base, { namespace: "default", cronJobName: "any" }),
    ["GET", `/apis/batch/v1/namespaces/${namespace}/jobs`],
    ["GET", `/apis/batch/v1/namespaces/${namespace}/jobs?watch=1&timeoutSeconds=1`],
    ["GET", `/api/v1/namespaces/${namespace}/pods`],
    ["GET", `/api/v1/namespaces/${namespace}/pods/any/log`],
    ["GET", `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/sync-trigger`],
  ];
  expect(await statusesOf(asFunction, calls)).toEqual(all403(calls));
});
