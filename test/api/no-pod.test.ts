import { afterAll, beforeAll, expect, test } from "vitest";
import { readProblem } from "../support/answers.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { askForJob, readJob, scriptCronJob, startRun, untilJob } from "../support/runs.ts";
import { openTarget, type Target } from "../support/target.ts";

let target: Target;
let namespace: string;
let proxy: FaultProxy;
let fn: FunctionProcess;

beforeAll(async () => {
  target = await openTarget("no-pod");
  namespace = await target.createNamespace("no-pod");
  proxy = await startFaultProxy(target.api);
  await target.seedCronJob(namespace, scriptCronJob({ name: "sync", image: target.syncImage }, "console.log('on it')"));
  const base = await target.env({ server: proxy.url });
  fn = await startFunction({ ...base, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace });
});

afterAll(async () => {
  await fn?.stop();
  await proxy?.close();
  await target?.close();
});

async function expectAdvice(name: string): Promise<void> {
  const look = `kubectl -n ${namespace} describe job ${name}`;
  const job = await readJob(await askForJob(fn, name));
  expect(job).toMatchObject({ state: "queued", reason: "NoPod", message: expect.stringMatching(`: ${look}$`) });
  const log = await fetch(`${fn.url}/jobs/${name}/logs`);
  expect([log.status, (await readProblem(log)).detail]).toEqual([404, expect.stringContaining(look)]);
}

test("a Job that has had no pod for long says where to look", async () => {
  const name = await startRun(fn);
  const job = await target.api.expect("GET", `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
  const stuck = { ...job, status: { startTime: "2026-11-23T21:00:00Z" } };
  proxy.rule(({ path }) => ({ kind: "answer", status: 200, body: path.includes("/pods?") ? { items: [] } : stuck }));
  await expectAdvice(name);
  proxy.rule(() => undefined);
});

test.runIf(process.env.TEST_TARGET === "real")(
  "so does one whose pods a ResourceQuota refuses (the embedded cluster has none)",
  async () => {
    const quotas = `/api/v1/namespaces/${namespace}/resourcequotas`;
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "none" },
      spec: { hard: { pods: "0" } },
    };
    await target.api.expect("POST", quotas, quota);
    const name = await startRun(fn);
    await untilJob(fn, name, "without a pod for long", ({ message }) => message?.includes("describe job") === true);
    await expectAdvice(name);
  },
  60_000,
);
