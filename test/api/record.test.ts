import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem, readTrigger } from "../support/answers.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { jobEnd, listJobs, metadataOf } from "../support/jobs.ts";
import { createLease, readRecord, writeRecord } from "../support/lease.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let proxy: FaultProxy;
const started: FunctionProcess[] = [];

beforeAll(async () => {
  target = await openTarget("record");
  proxy = await startFaultProxy(target.api);
});

afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
  await proxy?.close();
  await target?.close();
});

type Place = { namespace: string; fn: FunctionProcess };

async function install(
  name: string,
  cronJob: JsonObject,
  env: Record<string, string>,
  withLease = true,
): Promise<Place> {
  const namespace = await target.createNamespace(name);
  await target.seedCronJob(namespace, cronJob);
  if (withLease) await createLease(target.api, namespace);
  return { namespace, fn: await start(namespace, env) };
}

async function start(namespace: string, env: Record<string, string>): Promise<FunctionProcess> {
  const base = await target.env({ server: proxy.url });
  const fn = await startFunction({ ...base, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace, ...env });
  started.push(fn);
  return fn;
}

const trigger = ({ fn }: { fn: FunctionProcess }, key?: string, body?: object) =>
  fetch(`${fn.url}/trigger-sync`, {
    method: "POST",
    headers: { ...(key ? { "idempotency-key": key } : {}), ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

const jobPath = (namespace: string, name: string) => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;

async function deleteJob(namespace: string, name: string): Promise<void> {
  await target.api.expect("DELETE", `${jobPath(namespace, name)}?propagationPolicy=Background`);
  await gone(namespace, name);
}

const gone = (namespace: string, name: string) =>
  until(
    `Job ${name} to be gone`,
    async () => (await target.api.call("GET", jobPath(namespace, name))).status === 404,
    60_000,
  );

async function patchCronJob(namespace: string, patch: object, subresource = ""): Promise<void> {
  const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/sync${subresource}`;
  await target.api.expect("PATCH", path, patch, { "content-type": "application/merge-patch+json" });
}

describe("with DEDUPE_WINDOW a key is remembered whatever happens to its Job", () => {
  const window = { DEDUPE_WINDOW: "1h" };

  test("after a person deleted it: the same answer, no Job", async () => {
    const place = await install("by hand", idleCronJob("sync"), window);
    const first = await readTrigger(await trigger(place, "k"));
    await deleteJob(place.namespace, first.job.name);
    const again = await trigger(place, "k");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await readTrigger(again)).toEqual({ ...first, outcome: "duplicate" });
    expect(await listJobs(target.api, place.namespace)).toEqual([]);

    const replica = { fn: await start(place.namespace, window) };
    expect(await readTrigger(await trigger(replica, "k"))).toEqual({ ...first, outcome: "duplicate" });
    expect((await readProblem(await trigger(replica, "k", { ifOlderThan: "1h" }))).type).toBe(
      "urn:sync-trigger:key-reused",
    );
  });

  test.each([
    ["TTL 0", { ttlSecondsAfterFinished: 0 }, {}],
    ["a history limit of 0", {}, { successfulJobsHistoryLimit: 0 }],
  ])("after %s removed it", async (what, ofJob, ofCronJob) => {
    const cronJob = syncCronJob("sync", target.syncImage);
    const spec = cronJob.spec as JsonObject;
    Object.assign(spec, ofCronJob);
    Object.assign((spec.jobTemplate as JsonObject).spec as JsonObject, ofJob);
    const place = await install(what, cronJob, window);
    const first = await readTrigger(await trigger(place, "k"));
    await gone(place.namespace, first.job.name);
    expect(await readTrigger(await trigger(place, "k"))).toEqual({ ...first, outcome: "duplicate" });
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test("until the window is over: then a Job again", async () => {
    const place = await install("expired", idleCronJob("sync"), window);
    const first = await readTrigger(await trigger(place, "k"));
    await deleteJob(place.namespace, first.job.name);
    const [line = ""] = await readRecord(target.api, place.namespace);
    await writeRecord(target.api, place.namespace, [line.replace(/ \d{8}T\d{6}Z /, " 20200101T000000Z ")]);
    const second = await readTrigger(await trigger({ fn: await start(place.namespace, window) }, "k"));
    expect([second.outcome, second.job.name]).toEqual(["created", first.job.name]);
    expect(second.job.uid).not.toBe(first.job.uid);
  });

  test("a key whose maker died before its Job was stored runs under the same name", async () => {
    const place = await install("pending", idleCronJob("sync"), window);
    proxy.rule(({ method }) => (method === "POST" ? { kind: "reset" } : undefined));
    expect((await trigger(place, "k")).status).toBe(504);
    proxy.rule(() => undefined);
    expect((await readRecord(target.api, place.namespace)).map((line) => line.split(" ")[1])).toEqual(["P"]);
    expect((await readTrigger(await trigger(place, "k"))).outcome).toBe("created");
    expect((await readRecord(target.api, place.namespace)).map((line) => line.split(" ")[1])).toEqual(["D"]);
  });

  test("two deliveries at once make one Job, even if that is removed while one of them is on its way", async () => {
    const place = await install("at once", idleCronJob("sync"), window);
    const replica = { fn: await start(place.namespace, window) };
    const isCreate = ({ method, path }: { method: string; path: string }) =>
      method === "POST" && path.includes(`/${place.namespace}/jobs`);
    proxy.requests.length = 0;
    proxy.rule((request) => (isCreate(request) ? { kind: "delay", ms: 1_500 } : undefined));
    const first = trigger(place, "k");
    await until("the first create to be on its way", () => proxy.requests.some(isCreate));
    proxy.rule(() => undefined);
    const second = trigger(replica, "k");
    const [job] = await until("a Job", async () => {
      const jobs = await listJobs(target.api, place.namespace);
      return jobs.length > 0 && jobs;
    });
    await deleteJob(place.namespace, metadataOf(job).name);
    const answers = await Promise.all([readTrigger(await first), readTrigger(await second)]);
    expect(answers.map((answer) => answer.job.uid)).toEqual([metadataOf(job).uid, metadataOf(job).uid]);
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test("a create that was refused leaves nothing behind that stands in another key's way", async () => {
    const place = await install("released", idleCronJob("sync"), { ...window, OVERLAP_POLICY: "forbid" });
    const body = { kind: "Status", apiVersion: "v1", reason: "Forbidden", message: "exceeded quota: q" };
    proxy.rule(({ method }) => (method === "POST" ? { kind: "answer", status: 403, body } : undefined));
    expect((await readProblem(await trigger(place, "1"))).type).toBe("urn:sync-trigger:api-refused");
    expect((await readProblem(await trigger(place, "2"))).type).toBe("urn:sync-trigger:api-refused");
    proxy.rule(() => undefined);
    expect((await readTrigger(await trigger(place, "3"))).outcome).toBe("created");
  });

  test("and success is answered only after it is written", async () => {
    const place = await install("unwritten", idleCronJob("sync"), window);
    let writes = 0;
    proxy.rule(({ method }) => {
      writes += method === "PUT" ? 1 : 0;
      return method === "PUT" && writes > 1 ? { kind: "reset" } : undefined;
    });
    expect((await trigger(place, "k")).status).toBe(503);
    proxy.rule(() => undefined);
    const [job] = await listJobs(target.api, place.namespace);
    const again = await readTrigger(await trigger(place, "k"));
    expect([again.outcome, again.job.uid]).toEqual(["duplicate", metadataOf(job).uid]);
  });

  test("a full record answers 503 until the oldest key expires, and loses nothing", async () => {
    const place = await install("full", idleCronJob("sync"), { ...window, DEDUPE_MAX_KEYS: "2" });
    const first = await readTrigger(await trigger(place, "1"));
    await readTrigger(await trigger(place, "2"));
    const refused = await trigger(place, "3");
    expect([refused.status, (await readProblem(refused)).type]).toEqual([503, "urn:sync-trigger:record-full"]);
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
    expect(await readTrigger(await trigger(place, "1"))).toEqual({ ...first, outcome: "duplicate" });

    const [oldest = "", ...rest] = await readRecord(target.api, place.namespace);
    await writeRecord(target.api, place.namespace, [oldest.replace(/ \d{8}T\d{6}Z /, " 20200101T000000Z "), ...rest]);
    expect((await readTrigger(await trigger(place, "3"))).outcome).toBe("created");
  });

  test("a Lease that is missing or cannot be read is a 502 that says what to do, and no Job", async () => {
    const place = await install("no lease", idleCronJob("sync"), window, false);
    expect((await readProblem(await trigger(place, "k"))).detail).toContain("manifests/components/exactly-once");
    await createLease(target.api, place.namespace);
    await writeRecord(target.api, place.namespace, ["what is this"]);
    const answer = await trigger(place, "k");
    expect([answer.status, (await readProblem(answer)).detail]).toEqual([502, expect.stringContaining("line 1")]);
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });
});

describe("while a Job is unfinished", () => {
  test.each(["allow", "forbid", "join", "inherit"])(
    "a redelivery of its own key is a duplicate under %s",
    async (policy) => {
      const place = await install(`own ${policy}`, idleCronJob("sync"), { OVERLAP_POLICY: policy });
      const first = await readTrigger(await trigger(place, "k"));
      expect(await readTrigger(await trigger(place, "k"))).toEqual({ ...first, outcome: "duplicate" });
      const replica = { fn: await start(place.namespace, { OVERLAP_POLICY: policy }) };
      expect(await readTrigger(await trigger(replica, "k"))).toEqual({ ...first, outcome: "duplicate" });
    },
  );

  test("forbid refuses another key with 409 naming the Job, and drops an event; afterwards it runs again", async () => {
    const cronJob = syncCronJob("sync", target.syncImage, { SYNC_SECONDS: "3" });
    const place = await install("forbid", cronJob, { OVERLAP_POLICY: "forbid" });
    const { job } = await readTrigger(await trigger(place, "1"));
    const refused = await trigger(place, "2");
    expect(refused.status).toBe(409);
    expect(await readProblem(refused)).toMatchObject({
      type: "urn:sync-trigger:refused",
      detail: `Job ${job.name} is unfinished`,
      outcome: "refused",
      job,
    });
    const headers = { "ce-specversion": "1.0", "ce-type": "a", "ce-source": "/s", "ce-id": "1" };
    const event = await fetch(place.fn.url, { method: "POST", headers });
    expect([event.status, await event.text()]).toEqual([202, ""]);
    expect(await listJobs(target.api, place.namespace)).toHaveLength(1);

    expect(await jobEnd(target.api, place.namespace, job.name)).toBe("Complete");
    expect((await readTrigger(await trigger(place, "2"))).outcome).toBe("created");
  });

  test("join answers another key with that Job", async () => {
    const place = await install("join", idleCronJob("sync"), { OVERLAP_POLICY: "join" });
    const { job } = await readTrigger(await trigger(place, "1"));
    expect(await readTrigger(await trigger(place, "2"))).toMatchObject({
      outcome: "joined",
      reason: `Job ${job.name} is unfinished`,
      job,
    });
  });

  test("a request can ask for another policy than the setting's", async () => {
    const place = await install("per request", idleCronJob("sync"), { DEDUPE_WINDOW: "1h" });
    const { job } = await readTrigger(await trigger(place, "1"));
    expect(await readTrigger(await trigger(place, "2", { onOverlap: "join" }))).toMatchObject({
      outcome: "joined",
      job,
    });
    expect((await trigger(place, "3", { onOverlap: "forbid" })).status).toBe(409);
    expect((await readTrigger(await trigger(place, "4", { onOverlap: "allow" }))).outcome).toBe("created");
  });

  test("a policy that needs the record is a 422 where no setting asks for one", async () => {
    const place = await install("no record", idleCronJob("sync"), {}, false);
    const answer = await trigger(place, "1", { onOverlap: "forbid" });
    expect([answer.status, (await readProblem(answer)).detail]).toEqual([
      422,
      expect.stringContaining("DEDUPE_WINDOW"),
    ]);
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test.each([
    ["Forbid", 409],
    ["Allow", 200],
    ["Replace", 422],
  ])("inherit does what the CronJob's own %s says: %i", async (concurrencyPolicy, status) => {
    const cronJob = idleCronJob("sync");
    Object.assign(cronJob.spec as JsonObject, { concurrencyPolicy: "Allow" });
    const place = await install(`inherit ${concurrencyPolicy}`, cronJob, { OVERLAP_POLICY: "inherit" });
    await readTrigger(await trigger(place, "1"));
    await patchCronJob(place.namespace, { spec: { concurrencyPolicy } });
    expect((await trigger(place, "2")).status).toBe(status);
  });

  test("a scheduled Job counts too, as long as the CronJob's status calls it active", async () => {
    const place = await install("scheduled", idleCronJob("sync"), { OVERLAP_POLICY: "forbid" });
    const { metadata, spec } = await target.api.expect(
      "GET",
      `/apis/batch/v1/namespaces/${place.namespace}/cronjobs/sync`,
    );
    const { uid } = metadata as { uid: string };
    const scheduled = await target.api.expect("POST", `/apis/batch/v1/namespaces/${place.namespace}/jobs`, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: "sync-29000000",
        ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "sync", uid, controller: true }],
      },
      spec: ((spec as JsonObject).jobTemplate as JsonObject).spec,
    });
    const { name, uid: jobUid } = scheduled.metadata as { name: string; uid: string };
    const active = [{ apiVersion: "batch/v1", kind: "Job", namespace: place.namespace, name, uid: jobUid }];
    await patchCronJob(place.namespace, { status: { active } }, "/status");
    const refused = await trigger(place, "1");
    expect([refused.status, (await readProblem(refused)).detail]).toEqual([409, "Job sync-29000000 is unfinished"]);
    await deleteJob(place.namespace, name);
    expect((await readTrigger(await trigger(place, "1"))).outcome).toBe("created");
  });

  test("of 90 keys at once over three replicas exactly one runs: forbid refuses the others, join names it", async () => {
    for (const policy of ["forbid", "join"]) {
      const place = await install(`race ${policy}`, idleCronJob("sync"), { OVERLAP_POLICY: policy });
      const env = { OVERLAP_POLICY: policy };
      const replicas = [place.fn, await start(place.namespace, env), await start(place.namespace, env)];
      const answers = await Promise.all(
        Array.from({ length: 90 }, (_, index) =>
          trigger({ fn: replicas[index % 3] as FunctionProcess }, `key ${index}`),
        ),
      );
      const jobs = await listJobs(target.api, place.namespace);
      expect(jobs).toHaveLength(1);
      const statuses = answers.map(({ status }) => status);
      const expected = policy === "join" ? Array(90).fill(200) : [200, ...Array(89).fill(409)];
      expect(statuses.sort()).toEqual(expected);
      const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { job: { uid: string } }[];
      expect(new Set(bodies.map(({ job }) => job.uid)).size).toBe(1);
    }
  });
});

describe("only when needed", () => {
  test("ifOlderThan skips while the last success is more recent, and runs otherwise", async () => {
    const place = await install("fresh", idleCronJob("sync"), {}, false);
    expect((await readTrigger(await trigger(place, "never succeeded", { ifOlderThan: "26h" }))).outcome).toBe(
      "created",
    );
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, "");
    await patchCronJob(place.namespace, { status: { lastSuccessfulTime: hourAgo } }, "/status");
    expect(await readTrigger(await trigger(place, "2", { ifOlderThan: "26h" }))).toEqual({
      outcome: "skipped",
      reason: `the CronJob succeeded at ${hourAgo}, which is more recent than asked for`,
      job: null,
      links: {},
    });
    const made = await readTrigger(await trigger(place, "2", { ifOlderThan: "30m" }));
    expect(made.outcome).toBe("created");
    expect(await listJobs(target.api, place.namespace)).toHaveLength(2);
  });

  test("a key that made its Job is a duplicate before ifOlderThan is asked", async () => {
    const place = await install("fresh key", idleCronJob("sync"), {}, false);
    const first = await readTrigger(await trigger(place, "k", { ifOlderThan: "26h" }));
    const now = new Date().toISOString().replace(/\.\d+/, "");
    await patchCronJob(place.namespace, { status: { lastSuccessfulTime: now } }, "/status");
    expect(await readTrigger(await trigger(place, "k", { ifOlderThan: "26h" }))).toEqual({
      ...first,
      outcome: "duplicate",
    });
  });

  test.each([
    ["allow", 200, "created"],
    ["skip", 200, "skipped"],
    ["reject", 409, "refused"],
  ])("a suspended CronJob with SUSPENDED_POLICY %s: %i %s", async (policy, status, outcome) => {
    const place = await install(`suspended ${policy}`, idleCronJob("sync"), { SUSPENDED_POLICY: policy }, false);
    await patchCronJob(place.namespace, { spec: { suspend: true } });
    const answer = await trigger(place, "k");
    expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ outcome })]);
    expect(await listJobs(target.api, place.namespace)).toHaveLength(outcome === "created" ? 1 : 0);
  });
});

describe("requests to the API server for one trigger", () => {
  test.each([
    ["2 without coordination", {}, [2, 2]],
    ["5 with a window, 4 when the record's version is known", { DEDUPE_WINDOW: "1h" }, [5, 4]],
  ])("%s", async (what, env, counts) => {
    const place = await install(what, idleCronJob("sync"), env);
    for (const count of counts) {
      proxy.requests.length = 0;
      await readTrigger(await trigger(place));
      expect(proxy.requests.map(({ method, path }) => `${method} ${path}`)).toHaveLength(count);
    }
  });

  test("one more for each Job of ours that may be unfinished, seen ended once and never again", async () => {
    const cronJob = syncCronJob("sync", target.syncImage);
    const place = await install("looks", cronJob, { OVERLAP_POLICY: "forbid" });
    const counts: number[] = [];
    for (const key of ["1", "2", "3"]) {
      proxy.requests.length = 0;
      const { job } = await readTrigger(await trigger(place, key));
      counts.push(proxy.requests.length);
      await jobEnd(target.api, place.namespace, job.name);
    }
    expect(counts).toEqual([5, 5, 5]);
  });
});

test("with REPLY_EVENTS the outcome comes back as an event, which is ignored when it comes in again", async () => {
  const place = await install("replies", idleCronJob("sync"), { REPLY_EVENTS: "on" }, false);
  const headers = { "ce-specversion": "1.0", "ce-type": "a", "ce-source": "/s", "ce-id": "über 1" };
  const send = (more: Record<string, string>) =>
    fetch(place.fn.url, {
      method: "POST",
      headers: { ...headers, "ce-id": encodeURIComponent(headers["ce-id"]), ...more },
    });
  const reply = await send({});
  expect(reply.status).toBe(200);
  const attributes = Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith("ce-")));
  expect(attributes).toMatchObject({
    "ce-specversion": "1.0",
    "ce-type": "internal.sync-trigger.created.v1",
    "ce-source": `/apis/batch/v1/namespaces/${place.namespace}/cronjobs/sync`,
    "ce-id": `${encodeURIComponent(headers["ce-id"])}-created`,
  });
  expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  expect(await reply.json()).toMatchObject({ outcome: "created", event: { source: "/s", id: "über 1", type: "a" } });
  expect((await send({})).headers.get("ce-type")).toBe("internal.sync-trigger.duplicate.v1");

  const back = await fetch(place.fn.url, { method: "POST", headers: attributes });
  expect([back.status, await back.text(), back.headers.get("ce-type")]).toEqual([202, "", null]);
  expect(await listJobs(target.api, place.namespace)).toHaveLength(1);
});
