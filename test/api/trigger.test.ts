import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { readProblem, readTrigger } from "../support/answers.ts";
import { syncCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { jobEnd, jobLog, listJobs, metadataOf } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";

let target: Target;
let namespace: string;
let fn: FunctionProcess;
let keep = false;

beforeAll(async () => {
  target = await openTarget("trigger");
  namespace = await target.createNamespace("trigger");
  await target.seedCronJob(namespace, syncCronJob("kraken-sync", target.syncImage));
  fn = await startFunction({
    ...(await target.env()),
    CRONJOB_NAME: "kraken-sync",
    CRONJOB_NAMESPACE: namespace,
  });
});

afterAll(async () => {
  await fn?.stop();
  await target?.close({ keep });
});

const post = (path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(fn.url + path, { method: "POST", headers, ...(body === undefined ? {} : { body }) });

const event = (attributes: Record<string, string> = {}) => ({
  "ce-specversion": "1.0",
  "ce-type": "internal.sync-trigger.requested.v1",
  "ce-source": "/tests",
  "ce-id": crypto.randomUUID(),
  ...attributes,
});

const jobsNamed = async (name: string) =>
  (await listJobs(target.api, namespace)).filter((job) => metadataOf(job).name === name);

async function expectBothSteps(name: string): Promise<void> {
  const log = await jobLog(target.api, namespace, name);
  expect(log).toMatch(/^trade sync: .*\d+ trades/m);
  expect(log).toMatch(/^reward sync: .*\d+ rewards/m);
}

describe("a plain POST /trigger-sync", () => {
  test("creates one Job, which runs and logs both steps", async () => {
    onTestFailed(() => {
      keep = true;
    });
    const answer = await post("/trigger-sync", { "content-type": "application/json" }, '{"reason":"by hand"}');
    const body = await readTrigger(answer);
    expect(body).toMatchObject({ outcome: "created", job: { namespace } });
    expect(answer.headers.get("location")).toBe(`/jobs/${body.job.name}`);
    expect(body.links).toEqual({ job: `/jobs/${body.job.name}`, logs: `/jobs/${body.job.name}/logs` });

    const [job] = await jobsNamed(body.job.name);
    const { uid, creationTimestamp, annotations, labels } = metadataOf(job);
    expect({ uid, createdAt: creationTimestamp }).toEqual({ uid: body.job.uid, createdAt: body.job.createdAt });
    expect(labels).toMatchObject({ app: "sync" });
    expect(annotations).toMatchObject({
      "cronjob.kubernetes.io/instantiate": "manual",
      "example.com/kept": "yes",
      "sync-trigger.internal/via": "http",
      "sync-trigger.internal/reason": "by hand",
    });

    expect(await jobEnd(target.api, namespace, body.job.name)).toBe("Complete");
    await expectBothSteps(body.job.name);
  });

  test("makes another Job at each call without a key, and takes no body for all defaults", async () => {
    const names = await Promise.all([1, 2].map(async () => (await readTrigger(await post("/trigger-sync"))).job.name));
    expect(new Set(names).size).toBe(2);
  });

  test("answers a repeated Idempotency-Key, quoted or bare, with the first Job", async () => {
    const first = await readTrigger(await post("/trigger-sync", { "idempotency-key": "again" }));
    const second = await post("/trigger-sync", { "idempotency-key": '"again"' });
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(await readTrigger(second)).toEqual({ ...first, outcome: "duplicate" });
    expect(await jobsNamed(first.job.name)).toHaveLength(1);
  });

  test("refuses a key whose Job was made for other parameters with 422", async () => {
    const { job } = await readTrigger(await post("/trigger-sync", { "idempotency-key": "changed" }));
    await target.api.expect(
      "PATCH",
      `/apis/batch/v1/namespaces/${namespace}/jobs/${job.name}`,
      { metadata: { annotations: { "sync-trigger.internal/request-digest": "another" } } },
      { "content-type": "application/merge-patch+json" },
    );
    const answer = await post("/trigger-sync", { "idempotency-key": "changed" });
    expect(answer.status).toBe(422);
    expect((await readProblem(answer)).type).toBe("urn:sync-trigger:key-reused");
  });

  test("takes over the caller's trace under a span of its own", async () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const { job } = await readTrigger(await post("/trigger-sync", { traceparent: `00-${trace}-00f067aa0ba902b7-01` }));
    const [stored] = await jobsNamed(job.name);
    const { annotations } = metadataOf(stored);
    expect(annotations["sync-trigger.internal/traceparent"]).toMatch(
      new RegExp(`^00-${trace}-(?!00f067aa)\\w{16}-01$`),
    );
  });
});

describe("a CloudEvent", () => {
  const structured = (attributes: Record<string, unknown>) => ({ specversion: "1.0", source: "/tests", ...attributes });

  test.each(["/", "/trigger-sync"])(
    "in binary mode at %s creates a Job and is answered 202 without a body",
    async (path) => {
      const headers = event();
      const answer = await post(path, headers);
      expect(answer.status).toBe(202);
      expect(await answer.text()).toBe("");
      const [job] = (await listJobs(target.api, namespace)).filter(
        (found) => metadataOf(found).annotations["sync-trigger.internal/event-id"] === headers["ce-id"],
      );
      expect(metadataOf(job).annotations).toMatchObject({
        "sync-trigger.internal/via": "event",
        "sync-trigger.internal/event-source": "/tests",
        "sync-trigger.internal/event-type": "internal.sync-trigger.requested.v1",
      });
      expect(await jobEnd(target.api, namespace, metadataOf(job).name)).toBe("Complete");
      await expectBothSteps(metadataOf(job).name);
    },
  );

  test("in structured mode is the same event as in binary mode: one Job", async () => {
    const before = (await listJobs(target.api, namespace)).length;
    const id = crypto.randomUUID();
    const body = JSON.stringify(structured({ id, type: "internal.sync-trigger.requested.v1", data: { reason: "x" } }));
    const first = await post("/", { "content-type": "application/cloudevents+json;charset=UTF-8" }, body);
    const second = await post("/trigger-sync", event({ "ce-id": id }));
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await listJobs(target.api, namespace)).toHaveLength(before + 1);
  });

  test("of any other type is a request to sync, whatever its data", async () => {
    const before = (await listJobs(target.api, namespace)).length;
    const answer = await post(
      "/",
      { ...event({ "ce-type": "com.example.order.v1" }), "content-type": "text/csv" },
      "a,b",
    );
    expect(answer.status).toBe(202);
    expect(await listJobs(target.api, namespace)).toHaveLength(before + 1);
  });

  test("about this function itself is ignored, so that replies can not loop", async () => {
    const before = (await listJobs(target.api, namespace)).length;
    const answer = await post("/", event({ "ce-type": "internal.sync-trigger.created.v1" }));
    expect([answer.status, await answer.text()]).toEqual([202, ""]);
    expect(await listJobs(target.api, namespace)).toHaveLength(before);
  });

  test("of a PingSource counts once a minute, whatever its id", async () => {
    const before = (await listJobs(target.api, namespace)).length;
    const ping = (time: string) =>
      post("/", event({ "ce-type": "dev.knative.sources.ping", "ce-source": `/ping/${before}`, "ce-time": time }));
    for (const time of ["2026-11-01T10:00:00.1Z", "2026-11-01T11:00:00.4+01:00", "2026-11-01T10:01:00Z"]) {
      expect((await ping(time)).status).toBe(202);
    }
    expect(await listJobs(target.api, namespace)).toHaveLength(before + 2);
  });
});
