import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProblem } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";

let target: Target;
let namespace: string;
let fn: FunctionProcess;

beforeAll(async () => {
  target = await openTarget("refusals");
  namespace = await target.createNamespace("refusals");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  fn = await startFunction({ ...(await target.env()), CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace });
});

afterAll(async () => {
  const jobs = await listJobs(target.api, namespace);
  await fn?.stop();
  await target?.close();
  expect(jobs, "no refused request makes a Job").toEqual([]);
});

const json = { "content-type": "application/json" };
const structured = { "content-type": "application/cloudevents+json" };
const binary = {
  "ce-specversion": "1.0",
  "ce-type": "internal.sync-trigger.requested.v1",
  "ce-source": "/tests",
  "ce-id": "1",
};
const without = (name: string) => Object.fromEntries(Object.entries(binary).filter(([key]) => key !== name));
const envelope = (more: object) =>
  JSON.stringify({ specversion: "1.0", type: "internal.sync-trigger.requested.v1", source: "/t", id: "1", ...more });

type Row = [what: string, status: number, code: string, init: RequestInit & { path?: string }, detail?: RegExp];

const plain: Row[] = [
  ["POST / without an event", 400, "not-an-event", { path: "/" }, /\/trigger-sync/],
  ["an unknown path", 404, "route-not-found", { path: "/trigger-sync/" }],
  ["a GET", 405, "method-not-allowed", { method: "GET" }, /POST/],
  ["a DELETE", 405, "method-not-allowed", { method: "DELETE" }],
  ["a PUT on a health route", 405, "method-not-allowed", { method: "PUT", path: "/health/liveness" }],
  ["no media type", 415, "unsupported-media-type", { body: new Blob(["{}"]) }, /application\/json/],
  ["a form", 415, "unsupported-media-type", { body: new URLSearchParams("a=b") }],
  [
    "a compressed body",
    415,
    "unsupported-media-type",
    { headers: { ...json, "content-encoding": "gzip" }, body: "{}" },
  ],
  ["a body over the limit", 413, "body-too-large", { headers: json, body: `"${"x".repeat(70_000)}"` }, /65536 bytes/],
  ["broken JSON", 400, "malformed-request", { headers: json, body: "{" }],
  ["bytes that are no UTF-8", 400, "malformed-request", { headers: json, body: Buffer.from([0x22, 0xff, 0x22]) }],
  ["an array", 422, "invalid-field", { headers: json, body: "[]" }],
  ["null", 422, "invalid-field", { headers: json, body: "null" }],
  ["an unknown field", 422, "invalid-field", { headers: json, body: '{"resaon":"x"}' }, /"resaon".*reason/],
  ["a reason that is no string", 422, "invalid-field", { headers: json, body: '{"reason":1}' }, /^reason: /],
  ["a reason too long", 422, "invalid-field", { headers: json, body: `{"reason":"${"x".repeat(257)}"}` }, /256/],
  ["an unknown policy", 422, "invalid-field", { headers: json, body: '{"onOverlap":"replace"}' }, /forbid/],
  [
    "a policy that needs the record",
    422,
    "invalid-field",
    { headers: json, body: '{"onOverlap":"forbid"}' },
    /DEDUPE_WINDOW/,
  ],
  ["a bad duration", 422, "invalid-field", { headers: json, body: '{"ifOlderThan":"soon"}' }, /26h/],
  ["an empty key", 400, "malformed-request", { headers: { "idempotency-key": '""' } }, /Idempotency-Key/],
  ["a key too long", 400, "malformed-request", { headers: { "idempotency-key": "x".repeat(256) } }, /255/],
];

const events: Row[] = [
  ...["ce-id", "ce-source", "ce-type", "ce-specversion"].map(
    (name): Row => [`no ${name}`, 400, "malformed-event", { headers: without(name) }, new RegExp(`"${name.slice(3)}"`)],
  ),
  ["an empty id", 400, "malformed-event", { headers: { ...binary, "ce-id": "" } }],
  ["another version", 400, "malformed-event", { headers: { ...binary, "ce-specversion": "0.3" } }, /1\.0/],
  ["a bad time", 400, "malformed-event", { headers: { ...binary, "ce-time": "yesterday" } }, /RFC 3339/],
  ["a broken percent-encoding", 400, "malformed-event", { headers: { ...binary, "ce-subject": "%zz" } }],
  [
    "a batch",
    415,
    "unsupported-media-type",
    { headers: { "content-type": "application/cloudevents-batch+json" }, body: "[]" },
  ],
  [
    "another format",
    415,
    "unsupported-media-type",
    { headers: { "content-type": "application/cloudevents+avro" }, body: "x" },
  ],
  ["a structured body that is no JSON", 400, "malformed-event", { headers: structured, body: "{" }],
  ["a structured body without id", 400, "malformed-event", { headers: structured, body: envelope({ id: undefined }) }],
  [
    "data and data_base64",
    400,
    "malformed-event",
    { headers: structured, body: envelope({ data: {}, data_base64: "" }) },
  ],
  ["bad data_base64", 400, "malformed-event", { headers: structured, body: envelope({ data_base64: "?" }) }],
  [
    "data with an unknown field",
    422,
    "invalid-field",
    { headers: structured, body: envelope({ data: { a: 1 } }) },
    /"a"/,
  ],
  ...[0, false, "x", []].map(
    (data): Row => [
      `data ${JSON.stringify(data)}`,
      422,
      "invalid-field",
      { headers: structured, body: envelope({ data }) },
    ],
  ),
  ["data that is no JSON", 400, "malformed-event", { headers: { ...binary, ...json }, body: "{" }],
  [
    "data of another type",
    415,
    "unsupported-media-type",
    { headers: { ...binary, "content-type": "text/plain" }, body: "x" },
  ],
  [
    "a ping whose data is no request",
    422,
    "invalid-field",
    { headers: { ...binary, ...json, "ce-type": "dev.knative.sources.ping" }, body: '{"message":"hi"}' },
    /PingSource/,
  ],
];

async function send({ path = "/trigger-sync", ...init }: Row[3]) {
  return fetch(fn.url + path, {
    method: "POST",
    ...init,
    headers: { ...(init.headers as object), "x-request-id": "row" },
  });
}

describe("a plain request is refused as a problem document", () => {
  test.each(plain)("%s: %i %s", async (_what, status, code, init, detail) => {
    const answer = await send(init);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = await readProblem(answer);
    expect(problem).toMatchObject({ type: `urn:sync-trigger:${code}`, status, instance: "row" });
    expect(problem.detail).toMatch(detail ?? /./);
  });

  test("a wrong method is told the right ones", async () => {
    expect((await send({ method: "PATCH" })).headers.get("allow")).toBe("POST");
    expect((await send({ path: "/health/liveness" })).headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("an event is refused with one line of ASCII that a dead letter can hold", () => {
  test.each(events)("%s: %i %s", async (_what, status, code, init, detail) => {
    const answer = await send(init);
    expect(answer.status).toBe(status);
    const body = await answer.text();
    expect(body).toMatch(/^[\x20-\x7e]{1,700}$/);
    const problem = JSON.parse(body);
    expect(problem).toMatchObject({ type: `urn:sync-trigger:${code}`, status });
    expect(problem.detail).toMatch(detail ?? /./);
  });
});

test("a CronJob that does not exist is a 404, which a Broker tries again", async () => {
  const lost = await startFunction({ ...(await target.env()), CRONJOB_NAME: "lost", CRONJOB_NAMESPACE: namespace });
  const answer = await fetch(`${lost.url}/trigger-sync`, { method: "POST" });
  expect(answer.status).toBe(404);
  expect((await readProblem(answer)).detail).toBe(`CronJob ${namespace}/lost does not exist`);
  await lost.stop();
});

test.each(["/health/liveness", "/health/readiness"])("%s is 200 and asks the API server nothing", async (path) => {
  expect((await fetch(fn.url + path)).status).toBe(200);
});
