import { Agent } from "node:http";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { jobFromCronJob } from "../../functions/core/job-from-cronjob.ts";
import { type JsonObject, parseJsonExactly } from "../../functions/core/json.ts";
import { ApiError, type ApiFailure } from "../../functions/kubernetes/api-error.ts";
import { createCluster } from "../../functions/kubernetes/client.ts";
import type { Cluster } from "../../functions/kubernetes/cluster.ts";
import { toPlace } from "../../functions/kubernetes/credentials.ts";
import { createTransport } from "../../functions/kubernetes/transport.ts";
import { hang, json, reset, type StubAnswer, startApiStub, status } from "../support/api-stub.ts";
import { findFreePort } from "../support/free-port.ts";
import { takePauses } from "../support/pauses.ts";

vi.mock("node:timers/promises", async () => ({ setTimeout: (await import("../support/pauses.ts")).pause }));
afterEach(() => void takePauses());

const options = { signal: new AbortController().signal };

/** The calls of a trigger, what each sends and how often it may be sent. */
const calls: Record<string, { call(cluster: Cluster): Promise<unknown>; request: string; tries: number }> = {
  getCronJob: {
    call: (cluster) => cluster.getCronJob(options),
    request: "GET /apis/batch/v1/namespaces/kraken/cronjobs/kraken.sync",
    tries: 3,
  },
  getJob: {
    call: (cluster) => cluster.getJob("sync-m1", options),
    request: "GET /apis/batch/v1/namespaces/kraken/jobs/sync-m1",
    tries: 3,
  },
  createJob: {
    call: (cluster) => cluster.createJob({ kind: "Job" }, options),
    request: "POST /apis/batch/v1/namespaces/kraken/jobs?timeout=4s",
    tries: 1,
  },
  getLease: {
    call: (cluster) => cluster.getLease(options),
    request: "GET /apis/coordination.k8s.io/v1/namespaces/kraken/leases/sync-trigger",
    tries: 3,
  },
  updateLease: {
    call: (cluster) => cluster.updateLease({ kind: "Lease" }, options),
    request: "PUT /apis/coordination.k8s.io/v1/namespaces/kraken/leases/sync-trigger?timeout=4s",
    tries: 1,
  },
  createEvent: {
    call: (cluster) => cluster.createEvent({ kind: "Event" }, options),
    request: "POST /api/v1/namespaces/kraken/events",
    tries: 1,
  },
};
const names = Object.keys(calls);

function connect(server: string, timeoutMs = 4_000): Cluster {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const transport = createTransport({
    access: async () => ({ ...toPlace(new URL(server)), headers: {}, agent, streamAgent: agent }),
    reload: async () => {},
  });
  return createCluster(transport, { namespace: "kraken", cronJobName: "kraken.sync", timeoutMs });
}

async function start(...answers: StubAnswer[]) {
  const stub = await startApiStub();
  stub.answer(...answers);
  return { ...stub, cluster: connect(stub.server) };
}

const run = (name: string, cluster: Cluster) => calls[name]?.call(cluster) ?? Promise.reject(new Error(name));

async function failureOf(call: Promise<unknown>): Promise<ApiFailure> {
  const error = await call.then(
    (value) => new Error(`expected a failure, got ${JSON.stringify(value)}`),
    (reason) => reason,
  );
  if (error instanceof ApiError) return error.failure;
  throw error;
}

describe.each(names)("%s", (name) => {
  const { request, tries } = calls[name] as { request: string; tries: number };

  it(`sends ${request} and gives the object of the answer`, async () => {
    const { cluster, requests } = await start(json(200, { kind: "Thing", unknown: { a: 1 } }));
    expect(await run(name, cluster)).toEqual({ kind: "Thing", unknown: { a: 1 } });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([request]);
  });

  it.each<[what: string, answer: StubAnswer, expected: Partial<ApiFailure>]>([
    ["500", status(500, "InternalError"), { status: 500, mayHaveTakenEffect: true }],
    ["503", status(503, "ServiceUnavailable"), { status: 503, mayHaveTakenEffect: true }],
    ["504", status(504, "Timeout"), { status: 504, mayHaveTakenEffect: true }],
    ["429", status(429, "TooManyRequests"), { status: 429, mayHaveTakenEffect: false }],
    ["409 Conflict", status(409, "Conflict"), { status: 409, reason: "Conflict", mayHaveTakenEffect: false }],
    ["a reset", reset, { status: 0, reason: "", mayHaveTakenEffect: true, message: "ECONNRESET" }],
    ["half a JSON", json(200, '{"kind":"Thi'), { status: 0, mayHaveTakenEffect: true }],
    ["an array", json(200, "[]"), { status: 0, mayHaveTakenEffect: true }],
    ["an empty answer", json(200, ""), { status: 0, mayHaveTakenEffect: true }],
    [
      "another content type",
      json(200, "{}", { "content-type": "text/html" }),
      { status: 0, mayHaveTakenEffect: true, message: "an answer that is no whole JSON object" },
    ],
  ])(`is sent exactly ${tries} times on %s`, async (_what, answer, expected) => {
    const { cluster, requests } = await start(answer);
    expect(await failureOf(run(name, cluster))).toMatchObject({ call: name, ...expected });
    expect(requests).toHaveLength(tries);
    expect(takePauses()).toEqual(tries === 1 ? [] : [100, 500]);
  });

  it(`is sent exactly ${tries} times to a server that hangs, each with its own deadline`, async () => {
    const { server, requests, answer } = await startApiStub();
    answer(hang);
    const cluster = connect(server, 1_000);
    expect(await failureOf(run(name, cluster))).toMatchObject({
      status: 0,
      mayHaveTakenEffect: true,
      message: "no answer within the deadline",
    });
    expect(requests).toHaveLength(tries);
  });

  it.each([
    ["400", status(400, "BadRequest")],
    ["401 (and once with fresh credentials)", status(401, "Unauthorized")],
    ["403", status(403, "Forbidden")],
    ["404", status(404, "NotFound")],
    ["409 AlreadyExists", status(409, "AlreadyExists")],
    ["422", status(422, "Invalid")],
  ])("is not tried again on %s, which has no effect", async (what, answer) => {
    const { cluster, requests } = await start(answer);
    const failure = await failureOf(run(name, cluster));
    expect(failure).toMatchObject({ call: name, status: Number(what.slice(0, 3)), mayHaveTakenEffect: false });
    expect(failure.reason).not.toBe("");
    expect(requests).toHaveLength(what.startsWith("401") ? 2 : 1);
  });

  it("has had no effect when nothing listens", async () => {
    const cluster = connect(`http://127.0.0.1:${await findFreePort()}`);
    expect(await failureOf(run(name, cluster))).toMatchObject({ status: 0, mayHaveTakenEffect: false });
  });
});

describe("a read", () => {
  it("succeeds when the third try does", async () => {
    const { cluster, requests } = await start(reset, status(503, "ServiceUnavailable"), json(200, { ok: true }));
    expect(await cluster.getCronJob(options)).toEqual({ ok: true });
    expect(requests).toHaveLength(3);
  });

  it.each<[what: string, retryAfter: string, requestsThen: number, pauses: number[]]>([
    ["a short Retry-After, which is waited for", "2", 2, [2_000]],
    ["a Retry-After shorter than our own pause", "0", 2, [100]],
    ["a long Retry-After, which the caller is told", "17", 1, []],
    ["a Retry-After that is a date", "Wed, 21 Oct 2026 07:28:00 GMT", 2, [100]],
  ])("on 429 with %s: %s", async (_what, retryAfter, requestsThen, pauses) => {
    const tooMany = status(429, "TooManyRequests", { headers: { "retry-after": retryAfter } });
    const { cluster, requests } = await start(tooMany, status(404, "NotFound"));
    const failure = await failureOf(cluster.getCronJob(options));
    expect(requests).toHaveLength(requestsThen);
    expect(takePauses()).toEqual(pauses);
    if (requestsThen === 1) expect(failure).toMatchObject({ status: 429, retryAfterS: Number(retryAfter) });
  });

  it("is not tried again once its caller has gone", async () => {
    const controller = new AbortController();
    const { cluster, requests } = await start((response, request) => {
      controller.abort();
      status(503, "ServiceUnavailable")(response, request);
    });
    await failureOf(cluster.getCronJob({ signal: controller.signal }));
    expect(requests).toHaveLength(1);
  });
});

describe("what a failure says", () => {
  it("is the API server's own sentence, cut", async () => {
    const { cluster } = await start(status(403, "Forbidden", { message: `jobs is forbidden ${"x".repeat(1_000)}` }));
    const { message } = await failureOf(cluster.getCronJob(options));
    expect(message).toMatch(/^jobs is forbidden x+$/);
    expect(message).toHaveLength(400);
  });

  it("of an invalid object is the fields and reasons, never the values, which can be secrets", async () => {
    const secret = 'Invalid value: "hunter2"';
    const causes = [
      { field: "spec.template.spec.containers[0].env[0].value", reason: "FieldValueInvalid", message: secret },
      { field: "spec.backoffLimit", reason: "FieldValueRequired", message: "Required value" },
    ];
    const message = `Job.batch "x" is invalid: spec: ${secret}`;
    const { cluster } = await start(status(422, "Invalid", { message, details: { causes } }));
    expect((await failureOf(cluster.createJob({}, options))).message).toBe(
      "invalid: spec.template.spec.containers[0].env[0].value: FieldValueInvalid, spec.backoffLimit: FieldValueRequired",
    );
  });

  it("of a policy's denial is the policy's own sentence", async () => {
    const causes = [{ message: "ValidatingAdmissionPolicy 'x' denied request: not a clone" }];
    const { cluster } = await start(status(422, "Invalid", { message: "no", details: { causes } }));
    expect((await failureOf(cluster.createJob({}, options))).message).toContain("not a clone");
  });

  it.each([
    ["HTML", json(502, "<html>secret</html>", { "content-type": "text/html" })],
    ["no JSON", json(502, "secret")],
    ["no message", json(502, { secret: 1 })],
    ["a message that is no text", json(502, { message: { secret: 1 } })],
  ])("of an answer that is %s is its status alone", async (_what, answer) => {
    const { cluster } = await start(answer);
    expect(await failureOf(cluster.createJob({}, options))).toMatchObject({ message: "HTTP 502", reason: "" });
  });
});

it("made-up fields at every level go from a CronJob to its Job byte for byte", async () => {
  const container = `{"name":"c","futureContainerField":{"b":[1.0,{"a":-0}]},"image":"i","resources":{"limits":{"cpu":0.50}}}`;
  const spec = `{"futureJobField":12345678901234567890,"backoffLimit":1e0,"template":{"futureTemplateField":[],"metadata":{"futureMeta":null},"spec":{"futurePodField":"ü😀","initContainers":[${container}],"containers":[${container}]}}}`;
  const cronJob = `{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"kraken.sync","namespace":"kraken","uid":"u"},"spec":{"futureCronJobField":1,"jobTemplate":{"metadata":{"labels":{"a":"b"}},"spec":${spec}}}}`;
  const stored = { kind: "PartialObjectMetadata", metadata: { name: "x" } };
  const { cluster, requests } = await start(json(200, cronJob), json(201, stored));
  const read = await cluster.getCronJob(options);
  const job = jobFromCronJob(read, "x", { keyDigest: "k", requestDigest: "r", via: "http", traceparent: "t" });
  const created = await cluster.createJob(job, options);

  const { body = "" } = requests[1] ?? {};
  expect(body).toContain(`"spec":${spec}`);
  expect(body.endsWith(`"spec":${spec}}`)).toBe(true);
  expect((parseJsonExactly(body) as JsonObject).metadata).toMatchObject({ labels: { a: "b" } });
  expect(requests[1]?.headers.accept).toMatch(/^application\/json;as=PartialObjectMetadata;.*, application\/json$/);
  expect(created).toEqual(stored);
});
