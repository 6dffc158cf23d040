import { afterAll, beforeAll, expect, test } from "vitest";
import { METRICS } from "../../functions/metrics.ts";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let namespace: string;
let fn: FunctionProcess;

beforeAll(async () => {
  target = await openTarget("metrics");
  namespace = await target.createNamespace("metrics");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  fn = await startFunction({ ...(await target.env()), CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace });
});

afterAll(async () => {
  await fn?.stop();
  await target?.close();
});

async function scrape(): Promise<{ text: string; value(series: string): number | undefined }> {
  const answer = await fetch(`${fn.url}/metrics`);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  const values = new Map(text.split("\n").map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]));
  return { text, value: (series) => values.get(series) };
}

test("every documented metric is there, and moves with what it counts", async () => {
  const lastSuccess = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+/, "");
  const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/sync/status`;
  const patch = { status: { lastSuccessfulTime: lastSuccess } };
  await target.api.expect("PATCH", path, patch, { "content-type": "application/merge-patch+json" });
  await readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers: { "idempotency-key": "1" } }));
  await readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers: { "idempotency-key": "1" } }));
  const headers = { "ce-specversion": "1.0", "ce-type": "a", "ce-source": "/s", "ce-id": "1" };
  await fetch(fn.url, { method: "POST", headers });
  await fetch(fn.url, { method: "POST" });

  const { text, value } = await scrape();
  for (const name of Object.keys(METRICS)) expect(text).toContain(`# TYPE ${name} `);
  expect(value('sync_trigger_requests_total{door="http",outcome="created",code="200"}')).toBe(1);
  expect(value('sync_trigger_requests_total{door="http",outcome="duplicate",code="200"}')).toBe(1);
  expect(value('sync_trigger_requests_total{door="event",outcome="created",code="202"}')).toBe(1);
  expect(value('sync_trigger_requests_total{door="http",outcome="not-an-event",code="400"}')).toBe(1);
  expect(value('sync_trigger_request_duration_seconds_count{door="http"}')).toBe(3);
  expect(value('sync_trigger_api_requests_total{verb="get",resource="cronjobs",code="200"}')).toBe(3);
  expect(value('sync_trigger_api_requests_total{verb="create",resource="jobs",code="201"}')).toBe(2);
  expect(value('sync_trigger_api_requests_total{verb="create",resource="jobs",code="409"}')).toBe(1);
  expect(value('sync_trigger_api_request_duration_seconds_count{verb="get",resource="cronjobs"}')).toBe(3);
  expect(value("sync_trigger_requests_in_flight"), "the scrape itself").toBe(1);
  expect(value("sync_trigger_last_success_timestamp_seconds")).toBe(Date.parse(lastSuccess) / 1_000);
  await until("the policy canary", async () => (await scrape()).value("sync_trigger_policy_enforced") === 0);
});

test("no caller can make a label of their own", async () => {
  await fetch(`${fn.url}/made-up-path`, { method: "DELETE", headers: { "x-request-id": "made-up-id" } });
  expect((await scrape()).text).not.toContain("made-up");
});
