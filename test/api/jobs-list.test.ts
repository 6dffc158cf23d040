import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobFromCronJob } from "../../functions/core/job-from-cronjob.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { inFlight } from "../support/in-flight.ts";
import { askForJob, jobNames, readJob, startRun } from "../support/runs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let namespace: string;
let proxy: FaultProxy;
let fn: FunctionProcess;
/** Our CronJob's Jobs, newest first. */
const ours: string[] = [];
const others = 500;

beforeAll(async () => {
  target = await openTarget("jobs-list");
  namespace = await target.createNamespace("jobs-list");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  proxy = await startFaultProxy(target.api);
  const env = await target.env({ server: proxy.url });
  fn = await startFunction({ ...env, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace });
});

afterAll(async () => {
  await fn?.stop();
  await proxy?.close();
  await target?.close();
});

const jobsPath = () => `/apis/batch/v1/namespaces/${namespace}/jobs`;
const lists = () => proxy.requests.filter(({ path }) => path.startsWith(`${jobsPath()}?`));

/** A Job of another CronJob, as its schedule would make it. */
function otherJob(owner: JsonObject, index: number): JsonObject {
  const job = jobFromCronJob(owner, `other-${index}`, {
    keyDigest: "",
    requestDigest: "",
    via: "http",
    traceparent: "",
  });
  (job.metadata as JsonObject).annotations = {
    "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-23T03:00:00Z",
  };
  return job;
}

describe("before the first run", () => {
  test("GET /jobs is an empty list", async () => {
    expect(await (await fetch(`${fn.url}/jobs`)).json()).toEqual({ jobs: [] });
  });

  test.each(["/jobs/latest", "/jobs/latest/logs"])("GET %s is 404", async (path) => {
    const answer = await fetch(fn.url + path);
    expect([answer.status, (await readProblem(answer)).type]).toEqual([404, "urn:sync-trigger:job-not-found"]);
  });
});

describe(`beside ${others} Jobs of other CronJobs`, () => {
  beforeAll(async () => {
    const owner = await target.seedCronJob(namespace, idleCronJob("other"));
    for (let made = 0; made < others; made += 50) {
      if (made % 200 === 0) ours.unshift(await startRun(fn));
      // The API server's times have whole seconds: the next Job of ours must not fall into this one.
      const second = Math.floor(Date.now() / 1_000);
      const batch = Array.from({ length: 50 }, (_, index) => otherJob(owner, made + index));
      await Promise.all(batch.map((job) => target.api.expect("POST", jobsPath(), job)));
      await until("the next second", () => Math.floor(Date.now() / 1_000) > second);
    }
  });

  test("GET /jobs lists ours alone, newest first, page by page", async () => {
    proxy.requests.length = 0;
    expect(await jobNames(await fetch(`${fn.url}/jobs`))).toEqual(ours);
    expect(lists().map(({ path }) => new URL(path, "http://any").searchParams.get("limit"))).toEqual(["500", "500"]);
    expect(proxy.requests).toHaveLength(2);
  });

  test("GET /jobs?limit=2 lists the two newest", async () => {
    expect(await jobNames(await fetch(`${fn.url}/jobs?limit=2`))).toEqual(ours.slice(0, 2));
  });

  test("GET /jobs/latest is the newest", async () => {
    expect(await readJob(await askForJob(fn, "latest"))).toMatchObject({ name: ours[0], origin: "manual" });
  });

  test("fifty who ask for the list at once, each for as many as it likes, share two looks", async () => {
    proxy.requests.length = 0;
    const allThere = Promise.withResolvers<void>();
    proxy.rule(() => ({ kind: "hold", until: allThere.promise }));
    const pending = Array.from({ length: 50 }, (_, index) => fetch(`${fn.url}/jobs?limit=${index + 1}`));
    await until("all to have asked", async () => (await inFlight(fn)) === 51);
    allThere.resolve();
    const answers = await Promise.all(pending);
    proxy.rule(() => undefined);
    for (const [index, answer] of answers.entries()) {
      expect(await jobNames(answer)).toEqual(ours.slice(0, index + 1));
    }
    expect(lists().length, "two pages each").toBeLessThanOrEqual(4);
  });

  test.each(["other-1", "no-such-job", "UPPER", "a..b", "x".repeat(64), "..%2fcronjobs", "a%2fb"])(
    "GET /jobs/%s and its log are 404, whatever is there",
    async (name) => {
      const asked = proxy.requests.length;
      for (const path of [`/jobs/${name}`, `/jobs/${name}/logs`, `/jobs/${name}/logs?follow=true&container=x`]) {
        const answer = await fetch(fn.url + path);
        expect([answer.status, (await readProblem(answer)).type]).toEqual([404, "urn:sync-trigger:job-not-found"]);
      }
      // Nothing but Jobs is asked for, and what can be no Job's name is not asked for at all.
      const paths = proxy.requests.slice(asked).map(({ path }) => path);
      expect(paths).toEqual(/^[a-z0-9-]{1,63}$/.test(name) ? Array(3).fill(`${jobsPath()}/${name}`) : []);
    },
  );

  test("a Job that another CronJob's schedule made is shown as scheduled to that one's function", async () => {
    const env = { CRONJOB_NAME: "other", CRONJOB_NAMESPACE: namespace };
    const other = await startFunction({ ...(await target.env()), ...env });
    const job = await readJob(await askForJob(other, "other-1"));
    await other.stop();
    expect(job).toMatchObject({ origin: "scheduled", state: "queued", reason: "Suspended" });
    expect(job).not.toHaveProperty("via");
    expect(job).not.toHaveProperty("steps");
  });
});

test("a path with a broken percent-encoding is a 400 like any other", async () => {
  const answer = await fetch(`${fn.url}/jobs/%zz`);
  expect([answer.status, (await readProblem(answer)).type]).toEqual([400, "urn:sync-trigger:malformed-request"]);
});

test.each([
  ["/jobs?limit=0", "limit: expected a whole number from 1 to 100"],
  ["/jobs?limit=101", "limit: expected a whole number from 1 to 100"],
  ["/jobs?limit=2&limit=3", '"limit" stands twice'],
  ["/jobs?page=2", '"page" is unknown; allowed: limit'],
  ["/jobs/latest?x", '"x" is unknown; this path takes none'],
  ["/jobs/latest/logs?tailLines=-1", "tailLines: expected a whole number of lines"],
  ["/jobs/latest/logs?sinceTime=yesterday", "sinceTime: expected an RFC 3339 timestamp"],
  ["/jobs/latest/logs?follow=maybe", "follow: "],
  ["/jobs/latest/logs?container=nosuch", "container: no such container of this Job; it has sync"],
  ["/jobs/latest/logs?pod=nosuch", "pod: no such pod of this Job; it has none yet"],
])("GET %s is a 422 that says what is wrong", async (path, detail) => {
  const answer = await fetch(fn.url + path);
  const problem = await readProblem(answer);
  expect([answer.status, problem.type]).toEqual([422, "urn:sync-trigger:invalid-field"]);
  expect(problem.detail).toContain(`query: ${detail}`);
});

const cannot = 'jobs.batch is forbidden: User "u" cannot list resource "jobs"';
const forbidden = {
  kind: "answer",
  status: 403,
  body: { kind: "Status", status: "Failure", code: 403, reason: "Forbidden", message: cannot },
} as const;

test.each([
  ["/jobs", /\/jobs\?/, "list jobs"],
  ["/jobs/latest", /\/jobs\?/, "list jobs"],
  ["/jobs/NAME", /\/pods\?/, "list pods"],
  ["/jobs/NAME/logs", /\/pods\?/, "list pods"],
])("GET %s without its right is a 501 that names the component", async (path, right, verb) => {
  proxy.rule((request) => (right.test(request.path) ? forbidden : undefined));
  const answer = await fetch(fn.url + path.replace("NAME", ours[0] ?? ""));
  proxy.rule(() => undefined);
  const problem = await readProblem(answer);
  expect([answer.status, problem.type]).toEqual([501, "urn:sync-trigger:component-missing"]);
  expect(problem.detail).toBe(`${verb} was answered 403: ${cannot}; manifests/components/jobs-api grants this right`);
});

test("GET /jobs/NAME without the right to look at it at all is a 502 that names where it comes from", async () => {
  proxy.rule(() => forbidden);
  const answer = await askForJob(fn, ours[0] ?? "");
  proxy.rule(() => undefined);
  expect([answer.status, (await readProblem(answer)).detail]).toEqual([
    502,
    expect.stringContaining("manifests/rights"),
  ]);
});

test("an API server that does not answer is a 503 within the deadline", async () => {
  proxy.rule(() => ({ kind: "hang" }));
  const answer = await fetch(`${fn.url}/jobs`, { signal: AbortSignal.timeout(15_000) });
  proxy.rule(() => undefined);
  expect([answer.status, (await readProblem(answer)).type]).toEqual([503, "urn:sync-trigger:api-unavailable"]);
});
