import { afterAll, beforeAll, expect, test } from "vitest";
import { sendRaw } from "../hostile/support/raw-socket.ts";
import { readProblem, readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let namespace: string;
let proxy: FaultProxy;
const started: FunctionProcess[] = [];

beforeAll(async () => {
  target = await openTarget("process");
  namespace = await target.createNamespace("process");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  proxy = await startFaultProxy(target.api);
});

afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
  await proxy?.close();
  await target?.close();
});

async function start(env: Record<string, string> = {}): Promise<FunctionProcess> {
  const base = await target.env({ server: proxy.url });
  const fn = await startFunction({ ...base, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace, ...env });
  started.push(fn);
  return fn;
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "on %s what is in flight is answered, then the exit code is 0",
  async (name) => {
    const fn = await start();
    proxy.requests.length = 0;
    const isCreate = ({ method }: { method: string }) => method === "POST";
    const draining = Promise.withResolvers<void>();
    proxy.rule((request) => (isCreate(request) ? { kind: "hold", until: draining.promise } : undefined));
    const pending = Array.from({ length: 5 }, () => fetch(`${fn.url}/trigger-sync`, { method: "POST" }));
    await until("all triggers to be in flight", () => proxy.requests.filter(isCreate).length === 5);
    fn.signal(name);
    await until("it to drain", () => fn.log.some(({ msg }) => msg === "draining"));
    draining.resolve();
    const answers = await Promise.all(pending);
    proxy.rule(() => undefined);
    await Promise.all(answers.map(readTrigger));
    expect(answers.map((answer) => answer.headers.get("connection"))).toEqual(Array(5).fill("close"));
    expect(await fn.exited).toBe(0);
    await expect(fetch(`${fn.url}/health/readiness`)).rejects.toThrow();
  },
);

test("each request is one line of JSON with its id, outcome and Job", async () => {
  const fn = await start();
  const headers = { "x-request-id": "my-id", "idempotency-key": "secret-looking-key" };
  const answer = await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers });
  const { job } = await readTrigger(answer);
  expect(answer.headers.get("x-request-id")).toBe("my-id");
  await fetch(`${fn.url}/trigger-sync`, { method: "GET", headers: { "x-request-id": "bad id\u00e9" } });
  const lines = await until("two log lines", () => {
    const requests = fn.log.filter(({ msg }) => msg === "request");
    return requests.length >= 2 && requests;
  });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({
    level: "info",
    id: "my-id",
    method: "POST",
    path: "/trigger-sync",
    status: 200,
    via: "http",
    outcome: "created",
    job: job.name,
    keyDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    durationMs: expect.any(Number),
  });
  expect(lines[1]).toMatchObject({ level: "warn", status: 405, code: "method-not-allowed" });
  expect(lines[1]?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(fn.output()).not.toContain("secret-looking-key");
});

test("a trigger costs two requests to the API server", async () => {
  const fn = await start();
  proxy.requests.length = 0;
  await readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST" }));
  expect(proxy.requests.map(({ method, path }) => `${method} ${path.split("?")[0]}`)).toEqual([
    `GET /apis/batch/v1/namespaces/${namespace}/cronjobs/sync`,
    `POST /apis/batch/v1/namespaces/${namespace}/jobs`,
  ]);
});

test("the caller's trace is in the line of every request, refused ones included", async () => {
  const fn = await start();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
  await fetch(`${fn.url}/openapi.json`, { headers });
  await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers, body: "{" });
  await fetch(`${fn.url}/nothing`, { headers });
  const lines = await until("the log lines", () => {
    const found = fn.log.filter(({ msg }) => msg === "request");
    return found.length === 3 && found;
  });
  const traced = expect.stringMatching(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  expect(lines.map(({ traceparent }) => traceparent)).toEqual([traced, traced, traced]);
});

test("what Node's parser refuses has a line and is counted too", async () => {
  const fn = await start();
  const { text: answer } = await sendRaw(fn.url, "SYNC / HTTP/1.1\r\nHost: secret-looking\r\n\r\n");
  const { instance } = JSON.parse(answer.split("\r\n\r\n")[1] ?? "") as { instance: string };
  const line = await until("the log line", () => fn.log.find(({ msg }) => msg === "request"));
  expect(line).toMatchObject({ level: "warn", id: instance, status: 400, code: "malformed-request" });
  expect(fn.output()).not.toContain("secret-looking");
  const text = await (await fetch(`${fn.url}/metrics`)).text();
  expect(text).toContain('sync_trigger_requests_total{door="unread",outcome="malformed-request",code="400"} 1');
});

test("the caller's trace goes on in what is asked for this request alone", async () => {
  const fn = await start();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, "idempotency-key": "traced" };
  proxy.requests.length = 0;
  const { job } = await readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers }));
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${job.name}`;
  const { annotations } = metadataOf(await target.api.expect("GET", path));
  const own = annotations["sync-trigger.internal/traceparent"];
  expect(own).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  const line = await until("the log line", () => fn.log.find(({ msg }) => msg === "request"));
  expect(line.traceparent).toBe(own);
  // The read of the CronJob may be many requests' own.
  expect(proxy.requests.map(({ method, traceparent }) => [method, traceparent])).toEqual([
    ["GET", undefined],
    ["POST", own],
  ]);
});

test("the namespace is the kubeconfig's when none is set", async () => {
  const fn = await start({ CRONJOB_NAMESPACE: "" });
  const answer = await fetch(`${fn.url}/trigger-sync`, { method: "POST" });
  expect((await readProblem(answer)).detail).toBe("CronJob default/sync does not exist");
});

test("no Job but those of the answered triggers is there at the end", async () => {
  expect(await listJobs(target.api, namespace)).toHaveLength(13);
});

test("100 triggers at once share their reads of the CronJob and make 100 Jobs", async () => {
  const fn = await start();
  const before = (await listJobs(target.api, namespace)).length;
  proxy.requests.length = 0;
  const trigger = () => fetch(`${fn.url}/trigger-sync`, { method: "POST" });
  await Promise.all((await Promise.all(Array.from({ length: 100 }, trigger))).map(readTrigger));
  const reads = proxy.requests.filter(({ method }) => method === "GET").length;
  expect(proxy.requests.length - reads, "creates").toBe(100);
  expect(reads).toBeLessThan(50);
  expect(await listJobs(target.api, namespace)).toHaveLength(before + 100);
});
