import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProblem } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";

let target: Target;
let namespace: string;
let proxy: FaultProxy;
let fn: FunctionProcess;
let jobsBefore = 0;

beforeAll(async () => {
  target = await openTarget("faults");
  namespace = await target.createNamespace("faults");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  proxy = await startFaultProxy(target.api);
  fn = await startFunction({
    ...(await target.env({ server: proxy.url })),
    CRONJOB_NAME: "sync",
    CRONJOB_NAMESPACE: namespace,
    // A third of the real deadlines: the order of events is the same, the suite is shorter.
    API_TIMEOUT_MS: "1300",
    TRIGGER_TIMEOUT_MS: "4300",
  });
});

afterAll(async () => {
  await fn?.stop();
  await proxy?.close();
  await target?.close();
});

/** A Status as the API server sends it. */
const status = (code: number, reason: string, message = reason, headers: Record<string, string> = {}): Fault => ({
  kind: "answer",
  status: code,
  body: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message },
  headers,
});

const isRead = ({ method, path }: ProxiedRequest) => method === "GET" && path.includes("/cronjobs/");
const isCreate = ({ method }: ProxiedRequest) => method === "POST";
const isLookUp = ({ method, path }: ProxiedRequest) => method === "GET" && path.includes("/jobs/");

/** Spoils the first `times` requests of a kind. */
function spoil(which: (request: ProxiedRequest) => boolean, fault: Fault, times = Number.POSITIVE_INFINITY) {
  let left = times;
  return (request: ProxiedRequest) => {
    if (!which(request) || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

function either(...rules: ReturnType<typeof spoil>[]) {
  return (request: ProxiedRequest) => {
    for (const rule of rules) {
      const fault = rule(request);
      if (fault) return fault;
    }
    return undefined;
  };
}

type Row = {
  what: string;
  rule: () => (request: ProxiedRequest) => Fault | undefined;
  expected: { status: number; code?: string; outcome?: string; jobs: number; requests?: number; retryAfter?: string };
};

const hang: Fault = { kind: "hang" };
const reset: Fault = { kind: "reset" };

const rows: Row[] = [
  {
    what: "no fault",
    rule: () => () => undefined,
    expected: { status: 200, outcome: "created", jobs: 1, requests: 2 },
  },
  {
    what: "the read hangs",
    rule: () => spoil(isRead, hang),
    expected: { status: 503, code: "api-unavailable", jobs: 0 },
  },
  {
    what: "the read hangs once",
    rule: () => spoil(isRead, hang, 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "the read is reset",
    rule: () => spoil(isRead, reset),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 3 },
  },
  {
    what: "the create hangs",
    rule: () => spoil(isCreate, hang),
    expected: { status: 504, code: "outcome-unknown", jobs: 0 },
  },
  {
    what: "the create hangs after it was stored",
    rule: () => spoil(isCreate, { kind: "hang after forwarding" }),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "the create is reset before it was stored",
    rule: () => spoil(isCreate, reset),
    expected: { status: 504, code: "outcome-unknown", jobs: 0, requests: 7 },
  },
  {
    what: "the create is reset once before it was stored",
    rule: () => spoil(isCreate, reset, 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 4 },
  },
  {
    what: "the create is reset after it was stored",
    rule: () => spoil(isCreate, { kind: "reset after forwarding" }),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "the create is reset after it was stored and then nothing answers",
    rule: () => either(spoil(isCreate, { kind: "reset after forwarding" }), spoil(isLookUp, reset)),
    expected: { status: 504, code: "outcome-unknown", jobs: 1 },
  },
  {
    what: "half the answer to the create",
    rule: () => spoil(isCreate, { kind: "half the body after forwarding" }),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "another content type in answer to the create",
    rule: () => spoil(isCreate, { kind: "wrong content type after forwarding" }),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "half the answer to the read",
    rule: () => spoil(isRead, { kind: "half the body after forwarding" }),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 3 },
  },
  {
    what: "another content type in answer to the read",
    rule: () => spoil(isRead, { kind: "wrong content type after forwarding" }),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 3 },
  },
  {
    what: "401 once",
    rule: () => spoil(() => true, status(401, "Unauthorized"), 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "401 once at the create",
    rule: () => spoil(isCreate, status(401, "Unauthorized"), 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 3 },
  },
  {
    what: "401 always",
    rule: () => spoil(() => true, status(401, "Unauthorized")),
    expected: { status: 502, code: "api-refused", jobs: 0, requests: 2 },
  },
  {
    what: "403 at the read",
    rule: () => spoil(isRead, status(403, "Forbidden")),
    expected: { status: 502, code: "api-refused", jobs: 0, requests: 1 },
  },
  {
    what: "403 at the create",
    rule: () => spoil(isCreate, status(403, "Forbidden")),
    expected: { status: 502, code: "api-refused", jobs: 0, requests: 3 },
  },
  {
    what: "404 at the read",
    rule: () => spoil(isRead, status(404, "NotFound")),
    expected: { status: 404, code: "cronjob-not-found", jobs: 0, requests: 1 },
  },
  {
    what: "404 at the create (the namespace is going)",
    rule: () => spoil(isCreate, status(404, "NotFound")),
    expected: { status: 502, code: "api-refused", jobs: 0, requests: 3 },
  },
  {
    what: "a quota's 409 once",
    rule: () => spoil(isCreate, status(409, "Conflict"), 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 4 },
  },
  {
    what: "a quota's 409 always",
    rule: () => spoil(isCreate, status(409, "Conflict")),
    expected: { status: 503, code: "quota-conflict", jobs: 0, requests: 7, retryAfter: "5" },
  },
  {
    what: "409 AlreadyExists and then 404",
    rule: () => spoil(isCreate, status(409, "AlreadyExists")),
    expected: { status: 200, outcome: "duplicate", jobs: 0, requests: 3 },
  },
  {
    what: "422",
    rule: () => spoil(isCreate, status(422, "Invalid")),
    expected: { status: 502, code: "api-refused", jobs: 0, requests: 3 },
  },
  {
    what: "429 with a short Retry-After, once",
    rule: () => spoil(isCreate, status(429, "TooManyRequests", "slow down", { "retry-after": "1" }), 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 4 },
  },
  {
    what: "429 with a long Retry-After at the read",
    rule: () => spoil(isRead, status(429, "TooManyRequests", "slow down", { "retry-after": "17" })),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 1, retryAfter: "17" },
  },
  {
    what: "429 with a long Retry-After at the create",
    rule: () => spoil(isCreate, status(429, "TooManyRequests", "slow down", { "retry-after": "17" })),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 3, retryAfter: "17" },
  },
  {
    what: "500 at the read",
    rule: () => spoil(isRead, status(500, "InternalError")),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 3 },
  },
  {
    what: "500 at the create",
    rule: () => spoil(isCreate, status(500, "InternalError")),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 7 },
  },
  {
    what: "500 at the create and then nothing answers",
    rule: () => either(spoil(isCreate, status(500, "InternalError")), spoil(isLookUp, reset)),
    expected: { status: 504, code: "outcome-unknown", jobs: 0 },
  },
  {
    what: "503 at the create, once",
    rule: () => spoil(isCreate, status(503, "ServiceUnavailable"), 1),
    expected: { status: 200, outcome: "created", jobs: 1, requests: 4 },
  },
  {
    what: "503 always",
    rule: () => spoil(() => true, status(503, "ServiceUnavailable")),
    expected: { status: 503, code: "api-unavailable", jobs: 0, requests: 3, retryAfter: "5" },
  },
];

describe("whatever the API server does, a trigger ends in time with the answer that its sender needs", () => {
  test.each(rows)("$what", async ({ rule, expected }) => {
    jobsBefore = (await listJobs(target.api, namespace)).length;
    proxy.requests.length = 0;
    proxy.rule(rule());
    const startedAtMs = performance.now();
    const answer = await fetch(`${fn.url}/trigger-sync`, { method: "POST", signal: AbortSignal.timeout(15_000) });
    expect(performance.now() - startedAtMs, "ends before its deadline, a third of 15 s").toBeLessThan(5_000);
    proxy.rule(() => undefined);

    const body = (await answer.json()) as { outcome?: string; type?: string };
    const jobs = (await listJobs(target.api, namespace)).length - jobsBefore;
    const { status: code, retryAfter } = expected;
    expect({ status: answer.status, outcome: body.outcome, type: body.type, jobs }).toEqual({
      status: code,
      outcome: expected.outcome,
      type: expected.code && `urn:sync-trigger:${expected.code}`,
      jobs: expected.jobs,
    });
    if (expected.requests !== undefined) expect(proxy.requests).toHaveLength(expected.requests);
    if (retryAfter !== undefined) expect(answer.headers.get("retry-after")).toBe(retryAfter);
  });
});

describe("a Job that is there already", () => {
  const trigger = (key: string) =>
    fetch(`${fn.url}/trigger-sync`, { method: "POST", headers: { "idempotency-key": key } });

  test("of somebody else under our name is a 502, and stays as it is", async () => {
    proxy.rule(() => undefined);
    const made = (await (await trigger("foreign")).json()) as { job: { name: string } };
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${made.job.name}`;
    const annotations = { "sync-trigger.internal/key-digest": "somebody else's" };
    await target.api.expect(
      "PATCH",
      path,
      { metadata: { annotations } },
      { "content-type": "application/merge-patch+json" },
    );
    const answer = await trigger("foreign");
    expect([answer.status, (await readProblem(answer)).type]).toEqual([502, "urn:sync-trigger:foreign-job"]);
    expect(metadataOf(await target.api.expect("GET", path)).annotations).toMatchObject(annotations);
  });

  test("is found although admission refuses the redelivery (422 after the template changed)", async () => {
    const made = (await (await trigger("changed template")).json()) as { job: { uid: string } };
    proxy.rule(spoil(isCreate, status(422, "Invalid")));
    const answer = await trigger("changed template");
    proxy.rule(() => undefined);
    expect(await answer.json()).toMatchObject({ outcome: "duplicate", job: { uid: made.job.uid } });
  });
});

test("a refused connection is a 503 at once", async () => {
  const closed = await startFaultProxy(target.api);
  const env = await target.env({ server: closed.url });
  await closed.close();
  const lost = await startFunction({ ...env, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace });
  const jobs = (await listJobs(target.api, namespace)).length;
  const answer = await fetch(`${lost.url}/trigger-sync`, { method: "POST", signal: AbortSignal.timeout(5_000) });
  expect([answer.status, (await readProblem(answer)).type]).toEqual([503, "urn:sync-trigger:api-unavailable"]);
  expect(await listJobs(target.api, namespace)).toHaveLength(jobs);
  expect((await fetch(`${lost.url}/health/readiness`)).status, "readiness does not depend on it").toBe(200);
  await lost.stop();
});

test("no credential and no header shows up in the log", () => {
  expect(fn.log.filter(({ msg }) => msg === "request").length).toBeGreaterThan(rows.length);
  expect(proxy.requests.at(-1)?.authorization).toBe("Bearer test-token");
  expect(fn.output()).not.toMatch(/test-token|authorization/i);
});
