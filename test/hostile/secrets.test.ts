import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { templateSecret } from "./support/stub-api.ts";
import { startVictim, type Victim } from "./support/victim.ts";

const secret = "s3cr3t-p1anted-";
const token = `${secret}static-token`;
/** What people read or collect: each is looked through at the end. */
const shown: string[] = [];

let victim: Victim;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-secrets-"));
  await writeFile(join(directory, "page"), token);
  victim = await startVictim({
    LOG_LEVEL: "debug",
    KUBERNETES_EVENTS: "on",
    AUTH_MODE: "token,jwt",
    AUTH_TOKEN_DIRECTORY: directory,
    AUTH_TRIGGER_SUBJECTS: "token:page",
    AUTH_READ_SUBJECTS: "token:page",
  });
});
afterAll(async () => {
  await victim?.stop();
  await rm(directory, { recursive: true, force: true });
});

const authorized = { authorization: `Bearer ${token}` };
const json = { ...authorized, "content-type": "application/json" };
const structured = { ...authorized, "content-type": "application/cloudevents+json" };
const requested = "internal.sync-trigger.requested.v1";
const binary = { ...authorized, "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": requested };
const envelope = (more: object) =>
  JSON.stringify({ specversion: "1.0", id: "1", source: "/s", type: requested, ...more });
const jwt = [{ alg: "none" }, { sub: `${secret}sub`, iss: `${secret}iss`, aud: "sync-trigger" }]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".");

/**
 * Where a secret may stand by mistake. Not among them: what is there to be shown, which is the path, the request id, the
 * trace, an event's id, source and type, and the names of unknown fields.
 */
const requests: [what: string, status: number, init: RequestInit][] = [
  ["a good token", 200, { headers: authorized }],
  ["a wrong token", 401, { headers: { authorization: `Bearer ${secret}wrong-token` } }],
  ["a wrong JWT", 401, { headers: { authorization: `Bearer ${jwt}.${secret}` } }],
  ["a password", 400, { headers: { authorization: `Basic ${btoa(`u:${secret}`)} ${secret}` } }],
  ["a token that is no token", 400, { headers: { authorization: `Bearer ${secret} ${secret}` } }],
  ["a cookie", 200, { headers: { ...authorized, cookie: `session=${secret}` } }],
  ["a proxy's password", 200, { headers: { ...authorized, "proxy-authorization": secret, "x-api-key": secret } }],
  ["an idempotency key", 200, { headers: { ...authorized, "idempotency-key": `${secret}key` } }],
  ["an idempotency key that is too long", 400, { headers: { ...authorized, "idempotency-key": secret.repeat(30) } }],
  ["a request id that is none", 200, { headers: { ...authorized, "x-request-id": `${secret} !` } }],
  ["a trace that is none", 200, { headers: { ...authorized, traceparent: `00-${secret}`, tracestate: `a=${secret}` } }],
  ["a preference", 200, { headers: { ...authorized, prefer: `wait=${secret}`, "user-agent": secret } }],
  ["a content encoding", 415, { headers: { ...json, "content-encoding": secret }, body: "{}" }],
  ["a media type", 415, { headers: { ...authorized, "content-type": `${secret} ${secret}` }, body: "{}" }],
  ["a media type's parameter", 415, { headers: { ...json, "content-type": `text/plain;a=${secret}` }, body: "{}" }],
  ["the reason", 200, { headers: json, body: JSON.stringify({ reason: `${secret}reason` }) }],
  ["a reason that is too long", 422, { headers: json, body: JSON.stringify({ reason: secret.repeat(30) }) }],
  ["a wrong policy", 422, { headers: json, body: JSON.stringify({ onOverlap: secret }) }],
  ["a wrong duration", 422, { headers: json, body: JSON.stringify({ ifOlderThan: secret }) }],
  ["an unknown field", 422, { headers: json, body: JSON.stringify({ password: secret, a: [{ b: secret }] }) }],
  ["a body that is a text", 422, { headers: json, body: JSON.stringify(secret) }],
  ["a body that is no JSON", 400, { headers: json, body: `{"password":"${secret}"` }],
  ["a body that is nothing else", 400, { headers: json, body: secret }],
  ["a body of another type", 415, { headers: authorized, body: secret }],
  ["a body that is too large", 413, { headers: json, body: secret.repeat(10_000) }],
  ["an event's extension", 202, { headers: { ...binary, "ce-tenanttoken": secret, "ce-subject": secret } }],
  ["an event's broken attribute", 400, { headers: { ...binary, "ce-time": secret } }],
  ["an event's broken schema", 400, { headers: { ...binary, "ce-dataschema": `${secret} ${secret}` } }],
  ["an event's data", 422, { headers: { ...binary, ...json }, body: JSON.stringify({ password: secret }) }],
  ["an event's data of another type", 415, { headers: { ...binary, "content-type": "text/plain;a=b" }, body: secret }],
  ["an event's data that is no JSON", 400, { headers: { ...binary, ...json }, body: `[${secret}` }],
  ["a foreign event's data", 202, { headers: { ...binary, ...json, "ce-type": "t" }, body: JSON.stringify([secret]) }],
  ["a structured event's data", 422, { headers: structured, body: envelope({ data: { reason: [secret] } }) }],
  ["a structured foreign event's data", 202, { headers: structured, body: envelope({ type: "t", data: secret }) }],
  ["a structured event's base64", 400, { headers: structured, body: envelope({ data_base64: `${secret}!` }) }],
  ["a structured event that is no JSON", 400, { headers: structured, body: `{"data":"${secret}` }],
];

async function send(init: RequestInit): Promise<Response> {
  const answer = await fetch(`${victim.url}/trigger-sync`, { method: "POST", ...init });
  shown.push(JSON.stringify([...answer.headers]), await answer.clone().text());
  return answer;
}

describe("a secret by mistake", () => {
  test.each(requests)("in %s is answered %i", async (_what, status, init) => {
    expect((await send(init)).status).toBe(status);
  });

  test.each([
    ["/jobs", ["limit"]],
    ["/jobs/done/logs", ["container", "pod", "sinceTime", "tailLines", "follow"]],
  ])("in a query of %s is answered 422", async (path, names) => {
    for (const name of names) {
      const answer = await fetch(`${victim.url}${path}?${name}=${secret}`, { headers: authorized });
      shown.push(await answer.text());
      expect([name, answer.status]).toEqual([name, 422]);
    }
  });

  test("in what an API server repeats of our request is answered, too", async () => {
    const before = shown.length;
    victim.api.refuse((body) => ({
      status: 422,
      body: {
        kind: "Status",
        reason: "Invalid",
        details: { causes: [{ field: "spec.x", reason: "Bad", message: body }] },
      },
    }));
    const answer = await send({ headers: json, body: JSON.stringify({ reason: `${secret}quoted` }) });
    victim.api.refuse(undefined);
    expect(answer.status).toBe(502);
    expect(shown.length).toBeGreaterThan(before);
  });
});

test.each(["/jobs", "/jobs/done", "/jobs/running", "/jobs/done/logs", "/openapi.json"])("%s is read", async (path) => {
  const answer = await fetch(victim.url + path, { headers: { ...authorized, prefer: "wait=0" } });
  expect(answer.status).toBe(200);
  shown.push(await answer.text());
});

/** The canary's Job is a dry run. */
const isStored = (job: string) => !job.includes("sync-trigger-canary");

/** Planted by us, in the CronJob's template, or the function's own for the API server. */
const secrets = [secret, templateSecret, "api-token"];
const holdsSecret = (text: string) => secrets.some((one) => text.includes(one));

describe("afterwards", () => {
  test("no answer holds a secret", () => {
    expect(shown.length).toBeGreaterThan(2 * requests.length);
    expect(shown.filter(holdsSecret)).toEqual([]);
  });

  test("no Event holds one, though each run has its own", async () => {
    await until("the last Event", () => victim.api.events.length === victim.api.jobs.filter(isStored).length);
    expect(victim.api.events.length).toBeGreaterThan(5);
    expect(victim.api.events.filter(holdsSecret)).toEqual([]);
  });

  test("no metric holds a secret", async () => {
    const answer = await fetch(`${victim.url}/metrics`, { headers: authorized });
    const text = await answer.text();
    expect(text).toContain("sync_trigger_requests_total");
    expect(holdsSecret(text)).toBe(false);
  });

  test("the log holds none, with a line for each request", async () => {
    const count = () => victim.output().match(/"msg":"request"/g)?.length ?? 0;
    await until("the last line", () => count() >= requests.length + 2);
    expect(victim.output().split("\n").filter(holdsSecret)).toEqual([]);
  });

  test("no Job holds one but in its reason, which is there to be read, and the template's own", () => {
    const jobs = victim.api.jobs.filter((job) => job.includes(secret)).map((job) => JSON.parse(job));
    expect(jobs.length).toBeGreaterThan(0);
    for (const { metadata } of jobs) delete metadata.annotations["sync-trigger.internal/reason"];
    expect(holdsSecret(JSON.stringify(jobs.map(({ metadata }) => metadata)))).toBe(false);
  });
});
