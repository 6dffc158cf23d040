import { afterAll, expect, test } from "vitest";
import { readProblem } from "../support/answers.ts";
import { openLogStage } from "../support/log-stage.ts";
import { askForJob, readJob, startRun, untilJob } from "../support/runs.ts";

const { target, namespace, proxy, startScript, close } = await openLogStage("no-pod");
afterAll(close);
const fn = await startScript("sync", "console.log('on it')");

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
