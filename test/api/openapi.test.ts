import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAULTS, type FaultCode } from "../../functions/errors.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { jobEnd } from "../support/jobs.ts";
import { createLease } from "../support/lease.ts";
import { type Answer, checkHeaders, type Document, toCheck } from "../support/openapi.ts";
import { startRun } from "../support/runs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

type Send = { headers?: OutgoingHttpHeaders; body?: string; setHost?: boolean; fn?: FunctionProcess };
/** What an answer has to be: a status of success, or a code of the catalogue. */
type Wanted = 200 | 202 | FaultCode;
type Row = [operation: string, wanted: Wanted, what: string, drive: () => Promise<Answer>];
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
      const { statusCode: status = 0, headers } = answer;
      resolve({ status, type, headers, body: Buffer.concat(chunks).toString() });
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

const withoutPods = (drive: () => Promise<Answer>) =>
  spoiled(({ path }) => path.includes("/pods?"), { kind: "answer", status: 200, body: { items: [] } }, drive);

const answered = (status: number): Fault => ({ kind: "answer", status, body: { kind: "Status" } });
const everything = () => true;
const isCreate = ({ method }: ProxiedRequest) => method === "POST";

const json = { "content-type": "application/json" };
const event = () => ({ "ce-specversion": "1.0", "ce-id": crypto.randomUUID(), "ce-source": "/t", "ce-type": "t" });
const requested = () => ({ ...event(), ...json, "ce-type": "internal.sync-trigger.requested.v1" });

const triggers = ["POST /trigger-sync", "POST /"];
const stranger = { authorization: `Bearer ${token}` };
const tooLarge = { "x-large": "x".repeat(20_000) };

/** Rows of what is read, by GET or by HEAD. */
function readRows(method: "GET" | "HEAD"): Row[] {
  const [list, show, readLog] = ["/jobs", "/jobs/{name}", "/jobs/{name}/logs"].map((path) => `${method} ${path}`) as [
    string,
    string,
    string,
  ];
  const reads = [list, show, readLog];
  const probes = ["/health/liveness", "/health/readiness"].map((path) => `${method} ${path}`);
  const others = ["/metrics", "/openapi.json"].map((path) => `${method} ${path}`);
  return [
    ...[...probes, ...reads, ...others].flatMap((operation): Row[] => [
      [operation, "malformed-request", "no Host header", () => send(operation, { setHost: false })],
      [operation, "headers-too-large", "a header of 20 kB", () => send(operation, { headers: tooLarge })],
    ]),
    ...[...reads, ...others].flatMap((operation): Row[] => [
      [operation, "unauthenticated", "no credential", () => send(operation, { fn: guarded })],
      [operation, "not-allowed", "one who is not listed", () => send(operation, { fn: guarded, headers: stranger })],
    ]),
    ...[...probes, ...others, list, show].map((operation): Row => [operation, 200, "all well", () => send(operation)]),
    [show, 200, "waited for", () => send(show, { headers: { prefer: "wait=1" } })],
    [show, 200, "an ended one", () => send(show, { fn: ended }, endedJob)],
    [readLog, 200, "an ended one", () => send(readLog, { fn: ended }, endedJob)],
    [readLog, "no-log-yet", "a suspended Job", () => send(readLog)],
    [
      readLog,
      "no-log",
      "an ended Job whose pods are gone",
      () => withoutPods(() => send(readLog, { fn: ended }, endedJob)),
    ],
    ...reads.flatMap((operation): Row[] => [
      [operation, "invalid-field", "an unknown parameter", () => send(`${operation}?unknown=1`)],
      [
        operation,
        "api-unavailable",
        "the API server answers 500",
        () => spoiled(everything, answered(500), () => send(operation)),
      ],
      [
        operation,
        "api-refused",
        "the API server answers 400",
        () => spoiled(everything, answered(400), () => send(operation)),
      ],
      [
        operation,
        "component-missing",
        "a missing right",
        () =>
          spoiled(
            ({ path }) => path.includes("?"),
            answered(403),
            () => send(operation),
          ),
      ],
    ]),
    ...[show, readLog].map(
      (operation): Row => [operation, "job-not-found", "no such Job", () => send(operation, {}, "nosuch")],
    ),
    ...others.map((operation): Row => [operation, "overloaded", "another read at work", () => crowded(operation)]),
  ];
}

const rows: Row[] = [
  ...readRows("GET"),
  ...readRows("HEAD"),
  ["POST /trigger-sync", 200, "plain", () => send("POST /trigger-sync", { headers: json, body: '{"reason":"x"}' })],
  ["POST /trigger-sync", 200, "a key twice", () => twice({ headers: { "idempotency-key": "twice" } })],
  ["POST /trigger-sync", "key-reused", "for another request", () => reuse()],
  ["POST /trigger-sync", "refused", "an unfinished Job and forbid", () => twice({ fn: replying })],
  ["GET /jobs", "shutting-down", "an instance that ends", () => askAtTheEnd("GET /jobs")],
  ["POST /", "not-an-event", "plain HTTP", () => send("POST /")],
  ...triggers.flatMap((operation): Row[] => [
    [operation, "malformed-request", "no Host header", () => send(operation, { setHost: false })],
    [operation, "headers-too-large", "a header of 20 kB", () => send(operation, { headers: tooLarge })],
    [operation, "unauthenticated", "no credential", () => send(operation, { fn: guarded })],
    [operation, "not-allowed", "one who is not listed", () => send(operation, { fn: guarded, headers: stranger })],
    [operation, 200, "an event that is replied to", () => send(operation, { fn: replying, headers: event() })],
    [operation, 202, "an event", () => send(operation, { headers: event() })],
    [
      operation,
      "malformed-event",
      "an event of another version",
      () => send(operation, { headers: { ...event(), "ce-specversion": "0.3" } }),
    ],
    [
      operation,
      "cronjob-not-found",
      "no CronJob",
      () =>
        spoiled(
          ({ path }) => path.includes("/cronjobs/"),
          answered(404),
          () => send(operation, { headers: event() }),
        ),
    ],
    [operation, "body-too-large", "70 kB", () => send(operation, { headers: event(), body: "x".repeat(70_000) })],
    [
      operation,
      "unsupported-media-type",
      "data of another type",
      () => send(operation, { headers: { ...requested(), "content-type": "text/csv" }, body: "x" }),
    ],
    [operation, "invalid-field", "an unknown one", () => send(operation, { headers: requested(), body: '{"x":1}' })],
    [
      operation,
      "api-refused",
      "a refused create",
      () => spoiled(isCreate, answered(422), () => send(operation, { headers: event() })),
    ],
    [
      operation,
      "api-unavailable",
      "the API server answers 500",
      () => spoiled(everything, answered(500), () => send(operation, { headers: event() })),
    ],
    [
      operation,
      "outcome-unknown",
      "a create that hangs",
      () => spoiled(isCreate, { kind: "hang" }, () => send(operation, { headers: event() })),
    ],
  ]),
];

/** What is described and not driven here, with the test that brings it about. */
const drivenElsewhere: Partial<Record<FaultCode, string>> = {
  "foreign-job": "test/create-once.isolated.test.ts",
  "policy-missing": "test/cluster/policy-canary.test.ts",
  "quota-conflict": "test/create-once.isolated.test.ts",
  "in-flight": "test/api/record.test.ts",
  "record-full": "test/api/record-maximum.test.ts",
  "internal-error": "test/errors.test.ts",
};

/** A request that was on its way when its instance was told to end. */
async function askAtTheEnd(operation: string): Promise<Answer> {
  const fn = await start("sync", {});
  const socket = connect(Number(new URL(fn.url).port), "127.0.0.1");
  socket.write(`${operation} HTTP/1.1\r\nHost: x\r\n`);
  await send("GET /health/liveness", { fn }); // the connection before this one is accepted too
  fn.signal("SIGTERM");
  await until("the end to begin", () => fn.output().includes('"draining"'));
  socket.write("\r\n");
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(": ") as [string, string]));
  await fn.exited;
  return { status: Number(first.split(" ")[1]), type: headers["content-type"] ?? "", headers, body };
}

async function reuse(): Promise<Answer> {
  const headers = { ...json, "idempotency-key": "reused" };
  await send("POST /trigger-sync", { headers });
  return send("POST /trigger-sync", { headers, body: '{"ifOlderThan":"1h"}' });
}

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

describe("GET /openapi.json", () => {
  test("is OpenAPI 3.1 whose references all lead somewhere", async () => {
    const document = await readDocument();
    expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./), info: { title: "sync-trigger" } });
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to ?? "");
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((reference) => !known.includes(reference))).toEqual([]);
  });

  /** Headers that came, by operation and status. */
  const seen = new Map<string, Set<string>>();

  test.each(rows)("describes %s %s: %s", async (operation, wanted, _what, drive) => {
    const answer = await drive();
    const status = typeof wanted === "number" ? wanted : FAULTS[wanted].status;
    expect(answer.status, answer.body).toBe(status);
    const document = await readDocument();
    const { method, path } = split(operation);
    const described = document.paths[path]?.[method]?.responses[status];
    const asGet = method === "head" ? document.paths[path]?.get?.responses[status] : described;
    if (!described || !asGet) throw new Error("not described");
    const came = checkHeaders(answer, described);
    const key = `${method} ${path} ${status}`;
    seen.set(key, new Set([...(seen.get(key) ?? []), ...came]));

    if (!asGet.content) return expect(answer.body).toBe("");
    const media = asGet.content[answer.type];
    if (!media) throw new Error(`content type ${answer.type}`);
    if (typeof wanted === "string") expect(answer.type).toBe("application/problem+json");
    if (typeof wanted === "string") expect(JSON.stringify(media)).toContain(`"urn:sync-trigger:${wanted}"`);
    if (method === "head") {
      expect(described).not.toHaveProperty("content");
      return expect(answer.body).toBe("");
    }
    if (answer.type === "text/plain") return;
    const body = JSON.parse(answer.body) as { type?: string };
    if (typeof wanted === "string") expect(body.type).toBe(`urn:sync-trigger:${wanted}`);
    const check = toCheck(document, media.schema);
    expect(check.safeParse(body).error?.issues).toBeUndefined();
    // The check can fail: neither another member's type nor something else altogether passes.
    if (operation !== "GET /openapi.json") expect(check.safeParse("something else").success).toBe(false);
    if (typeof wanted === "string") expect(check.safeParse({ ...body, type: "urn:x" }).success).toBe(false);
  });

  test("describes no status, code and header that the rows above do not drive", async () => {
    const { paths } = await readDocument();
    const answers = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.entries(responses).map(([status, described]) => ({ key: `${method} ${path} ${status}`, described })),
      ),
    );
    expect(answers.map(({ key }) => key).filter((key) => !seen.has(key))).toEqual([]);
    const notSeen = answers.flatMap(({ key, described }) =>
      Object.keys(described.headers).flatMap((name) =>
        seen.get(key)?.has(name.toLowerCase()) ? [] : [`${key} ${name}`],
      ),
    );
    expect(notSeen).toEqual([]);
    const codes = new Set(JSON.stringify(paths).match(/(?<=urn:sync-trigger:)[a-z-]+/g));
    const driven = new Set<string>(rows.map(([, wanted]) => String(wanted)));
    expect([...codes].filter((code) => !driven.has(code)).sort()).toEqual(Object.keys(drivenElsewhere).sort());
    for (const [code, file] of Object.entries(drivenElsewhere)) expect(readFileSync(file, "utf8")).toContain(code);
  });

  test("describes every method that a path allows, and what the others are answered", async () => {
    const { paths, components } = await readDocument();
    const all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    for (const [path, operations] of Object.entries(paths)) {
      const described = Object.keys(operations).map((method) => method.toUpperCase());
      const others = all.filter((method) => !described.includes(method));
      for (const method of others) {
        const answer = await send(`${method} ${path}`);
        expect(answer.status, `${method} ${path}`).toBe(405);
        checkHeaders(answer, components.responses.MethodNotAllowed);
        expect(answer.headers.allow?.split(", ").sort()).toEqual(described.sort());
        if (method === "HEAD") continue;
        const { schema } = components.responses.MethodNotAllowed.content?.[answer.type] ?? {};
        const check = toCheck(await readDocument(), schema ?? {});
        expect(check.safeParse(JSON.parse(answer.body)).error?.issues).toBeUndefined();
        expect(check.safeParse({ ...JSON.parse(answer.body), type: "urn:x" }).success).toBe(false);
      }
    }
    const answer = await send("GET /nowhere");
    expect([answer.status, JSON.parse(answer.body).type]).toEqual([404, "urn:sync-trigger:route-not-found"]);
    checkHeaders(answer, components.responses.RouteNotFound);
  });
});
