import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { jobEnd } from "../support/jobs.ts";
import { createLease } from "../support/lease.ts";
import { startRun } from "../support/runs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

type Answer = { status: number; type: string; retryAfter: string | undefined; body: string };
type Send = { headers?: OutgoingHttpHeaders; body?: string; setHost?: boolean; fn?: FunctionProcess };
type Row = [operation: string, status: number, what: string, drive: () => Promise<Answer>];
type Media = { schema: object };
type Document = {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, Media> }> }>>;
  components: { schemas: object };
};

const token = "reader-token-0123456789";
let target: Target;
let namespace: string;
let directory: string;
let proxy: FaultProxy;
/** Without authentication; the same with it; one that replies to events; one that takes one request at a time. */
let open: FunctionProcess;
let guarded: FunctionProcess;
let replying: FunctionProcess;
let narrow: FunctionProcess;
let ended: FunctionProcess;
/** A suspended Job, and one that has ended. */
let idleJob: string;
let endedJob: string;

beforeAll(async () => {
  target = await openTarget("openapi");
  namespace = await target.createNamespace("openapi");
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-tokens-"));
  await writeFile(join(directory, "stranger"), token);
  proxy = await startFaultProxy(target.api);
  await target.seedCronJob(namespace, idleCronJob("sync"));
  await target.seedCronJob(namespace, syncCronJob("ended", target.syncImage));
  await createLease(target.api, namespace);
  open = await start("sync", { API_TIMEOUT_MS: "300", TRIGGER_TIMEOUT_MS: "1000" });
  guarded = await start("sync", { AUTH_MODE: "token", AUTH_TOKEN_DIRECTORY: directory });
  replying = await start("sync", { REPLY_EVENTS: "on", OVERLAP_POLICY: "forbid" });
  narrow = await start("sync", { MAX_IN_FLIGHT: "1" });
  ended = await start("ended", {});
  idleJob = await startRun(open);
  endedJob = await startRun(ended);
  await jobEnd(target.api, namespace, endedJob);
});

afterAll(async () => {
  await Promise.all([open, guarded, replying, narrow, ended].map((fn) => fn?.stop()));
  await proxy?.close();
  await target?.close();
  if (directory) await rm(directory, { recursive: true });
});

async function start(cronJob: string, env: Record<string, string>): Promise<FunctionProcess> {
  const base = await target.env({ server: proxy.url });
  return startFunction({ ...base, CRONJOB_NAME: cronJob, CRONJOB_NAMESPACE: namespace, ...env });
}

/** Sends a request for an operation such as "GET /jobs/{name}"; `latest` is not used, so that each row says its Job. */
function send(operation: string, { headers = {}, body, setHost = true, fn = open }: Send = {}, name = idleJob) {
  const [method, template = ""] = operation.split(" ");
  const url = fn.url + template.replace("{name}", name);
  return new Promise<Answer>((resolve, reject) => {
    const outgoing = requestHttp(url, { method, headers, setHost, agent: false }, async (answer: IncomingMessage) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
      const type = (answer.headers["content-type"] ?? "").split(";")[0] ?? "";
      const retryAfter = answer.headers["retry-after"];
      resolve({ status: answer.statusCode ?? 0, type, retryAfter, body: Buffer.concat(chunks).toString() });
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** Drives something while the API server answers some requests wrongly. */
async function spoiled(which: (request: ProxiedRequest) => boolean, fault: Fault, drive: () => Promise<Answer>) {
  proxy.rule((request) => (which(request) ? fault : undefined));
  return drive().finally(() => proxy.rule(() => undefined));
}

const answered = (status: number): Fault => ({ kind: "answer", status, body: { kind: "Status" } });
const everything = () => true;
const isCreate = ({ method }: ProxiedRequest) => method === "POST";

const json = { "content-type": "application/json" };
const event = () => ({ "ce-specversion": "1.0", "ce-id": crypto.randomUUID(), "ce-source": "/t", "ce-type": "t" });
const requested = () => ({ ...event(), ...json, "ce-type": "internal.sync-trigger.requested.v1" });

const probes = ["GET /health/liveness", "GET /health/readiness"];
const reads = ["GET /jobs", "GET /jobs/{name}", "GET /jobs/{name}/logs"];
const triggers = ["POST /trigger-sync", "POST /"];
const others = ["GET /metrics", "GET /openapi.json"];

const rows: Row[] = [
  ...[...probes, ...reads, ...triggers, ...others].map(
    (operation): Row => [operation, 400, "no Host header", () => send(operation, { setHost: false })],
  ),
  ...[...reads, ...triggers, ...others].flatMap((operation): Row[] => [
    [operation, 401, "no credential", () => send(operation, { fn: guarded })],
    [
      operation,
      403,
      "a credential of somebody who is not listed",
      () => send(operation, { fn: guarded, headers: { authorization: `Bearer ${token}` } }),
    ],
  ]),
  ...[...probes, ...others, "GET /jobs", "GET /jobs/{name}"].map(
    (operation): Row => [operation, 200, "all is well", () => send(operation)],
  ),
  ["GET /jobs/{name}", 200, "an ended one", () => send("GET /jobs/{name}", { fn: ended }, endedJob)],
  ["GET /jobs/{name}/logs", 200, "an ended one", () => send("GET /jobs/{name}/logs", { fn: ended }, endedJob)],
  ["GET /jobs/{name}/logs", 404, "no log yet", () => send("GET /jobs/{name}/logs")],
  ...reads.flatMap((operation): Row[] => [
    [operation, 422, "an unknown parameter", () => send(`${operation}?unknown=1`)],
    [operation, 503, "the API server answers 500", () => spoiled(everything, answered(500), () => send(operation))],
    [operation, 502, "the API server answers 400", () => spoiled(everything, answered(400), () => send(operation))],
    [
      operation,
      501,
      "a missing right",
      () =>
        spoiled(
          ({ path }) => path.includes("?"),
          answered(403),
          () => send(operation),
        ),
    ],
  ]),
  ...["GET /jobs/{name}", "GET /jobs/{name}/logs"].map(
    (operation): Row => [operation, 404, "no such Job", () => send(operation, {}, "nosuch")],
  ),
  ...others.map((operation): Row => [operation, 503, "another read is at work", () => crowded(operation)]),

  ["POST /trigger-sync", 200, "plain", () => send("POST /trigger-sync", { headers: json, body: '{"reason":"x"}' })],
  ["POST /trigger-sync", 409, "an unfinished Job and forbid", () => twice({ fn: replying })],
  ...triggers.flatMap((operation): Row[] => [
    [operation, 200, "an event that is replied to", () => send(operation, { fn: replying, headers: event() })],
    [operation, 202, "an event", () => send(operation, { headers: event() })],
    [
      operation,
      404,
      "no CronJob",
      () =>
        spoiled(
          ({ path }) => path.includes("/cronjobs/"),
          answered(404),
          () => send(operation, { headers: event() }),
        ),
    ],
    [operation, 413, "a long body", () => send(operation, { headers: event(), body: "x".repeat(70_000) })],
    [
      operation,
      415,
      "data of another type",
      () => send(operation, { headers: { ...requested(), "content-type": "text/csv" }, body: "x" }),
    ],
    [operation, 422, "an unknown field", () => send(operation, { headers: requested(), body: '{"x":1}' })],
    [
      operation,
      502,
      "a refused create",
      () => spoiled(isCreate, answered(422), () => send(operation, { headers: event() })),
    ],
    [
      operation,
      503,
      "the API server answers 500",
      () => spoiled(everything, answered(500), () => send(operation, { headers: event() })),
    ],
    [
      operation,
      504,
      "a create that hangs",
      () => spoiled(isCreate, { kind: "hang" }, () => send(operation, { headers: event() })),
    ],
  ]),
];

async function twice(options: Send): Promise<Answer> {
  await send("POST /trigger-sync", options);
  return send("POST /trigger-sync", options);
}

async function crowded(operation: string): Promise<Answer> {
  const before = proxy.requests.length;
  const answered = Promise.withResolvers<void>();
  proxy.rule(() => ({ kind: "hold", until: answered.promise }));
  const first = send("GET /jobs", { fn: narrow });
  await until("the first to be at work", () => proxy.requests.length > before);
  const answer = await send(operation, { fn: narrow });
  answered.resolve();
  proxy.rule(() => undefined);
  await first;
  return answer;
}

async function readDocument(): Promise<Document> {
  return JSON.parse((await send("GET /openapi.json")).body) as Document;
}

const split = (operation: string) => {
  const [method = "", path = ""] = operation.split(" ");
  return { method: method.toLowerCase(), path };
};

/** A check for a schema of the document, whose references lead to its components. */
function toCheck({ components }: Document, schema: object): z.ZodType {
  const local = JSON.stringify({ ...schema, $defs: components.schemas });
  return z.fromJSONSchema(JSON.parse(local.replaceAll("#/components/schemas/", "#/$defs/")));
}

describe("GET /openapi.json", () => {
  test("is OpenAPI 3.1 whose references all lead somewhere", async () => {
    const document = await readDocument();
    expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./), info: { title: "sync-trigger" } });
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to ?? "");
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((reference) => !known.includes(reference))).toEqual([]);
  });

  test.each(rows)("describes %s %i: %s", async (operation, status, _what, drive) => {
    const answer = await drive();
    expect(answer.status, answer.body).toBe(status);
    if (status === 503) expect(answer.retryAfter).toMatch(/^\d+$/);
    const document = await readDocument();
    const { method, path } = split(operation);
    const described = document.paths[path]?.[method]?.responses[status];
    expect(described, "described").toBeDefined();
    const media = described?.content?.[answer.type];
    if (!described?.content) expect(answer.body).toBe("");
    else expect(media, `content type ${answer.type}`).toBeDefined();
    if (!media || answer.type === "text/plain") return;
    const body: unknown = JSON.parse(answer.body);
    const check = toCheck(document, media.schema);
    expect(check.safeParse(body).error?.issues).toBeUndefined();
    // The check can fail: neither another member's type nor something else altogether passes.
    if (operation !== "GET /openapi.json") expect(check.safeParse("something else").success).toBe(false);
  });

  test("describes nothing that the rows above do not drive", async () => {
    const { paths } = await readDocument();
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => `${method.toUpperCase()} ${path} ${status}`),
      ),
    );
    const driven = new Set(rows.map(([operation, status]) => `${operation} ${status}`));
    expect(described.filter((answer) => !driven.has(answer))).toEqual([]);
  });
});
