import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Agent } from "node:http";
import { request } from "node:http";
import { connectTo, requestBytes, sendRaw } from "../hostile/support/raw-socket.ts";

/** Where traffic goes, and what each of it shows. */
export type Place = { url: string; agent: Agent; token: string; receiveTimeoutMs: number };

/** One kind of request: how often it comes among the others, and what it must be answered (0: closed without an answer). */
export type Kind = {
  name: string;
  weight: number;
  expected: readonly number[];
  /** It needs the API server: 503 and 504 are right answers while that is away. */
  needsApiServer: boolean;
  send(place: Place, number: number): Promise<number>;
};

type Init = { method?: string; path: string; headers?: Record<string, string>; body?: string };

/** Longer than a trigger may take, and than a wait that nobody cuts short. */
const patienceMs = 40_000;

function send({ url, agent, token }: Place, { method = "POST", path, headers = {}, body }: Init): Promise<number> {
  const content = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const all = { authorization: `Bearer ${token}`, ...content, ...headers };
  const signal = AbortSignal.timeout(patienceMs);
  return new Promise((resolve, reject) => {
    const outgoing = request(url + path, { method, agent, headers: all, signal }, (answer) => {
      answer.on("error", reject).on("end", () => resolve(answer.statusCode ?? 0));
      answer.resume();
    });
    outgoing.on("error", reject).end(body);
  });
}

/** The status of what comes back over a connection of its own, which is waited for until it is closed. */
async function sendBytes({ url, receiveTimeoutMs }: Place, bytes: Buffer): Promise<number> {
  const { statuses, closed } = await sendRaw(url, bytes, { patienceMs: receiveTimeoutMs + patienceMs });
  return closed ? (statuses[0] ?? 0) : -1;
}

/** Begins a request, and leaves with a reset before it is whole. */
async function leaveEarly({ url, token }: Place): Promise<number> {
  const socket = connectTo(url).on("error", () => undefined);
  await once(socket, "connect");
  socket.write(
    `POST /trigger-sync HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\nContent-Length: 9\r\n\r\n{`,
  );
  socket.resetAndDestroy();
  return 0;
}

/** Asks for a wait, and leaves while it is under way. */
async function leaveWait({ url, token }: Place): Promise<number> {
  const socket = connectTo(url).on("error", () => undefined);
  const head = `GET /jobs/latest HTTP/1.1\r\nHost: h\r\nPrefer: wait=25\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  await once(socket, "connect");
  socket.write(head);
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  return 0;
}

const json = { "content-type": "application/json" };
const eventOf = (number: number, type = "internal.sync-trigger.requested.v1") => ({
  ...{ "ce-specversion": "1.0", "ce-id": `e${number}`, "ce-source": "/soak", "ce-type": type },
});
const structured = (number: number) =>
  JSON.stringify({ specversion: "1.0", id: `s${number}`, source: "/soak", type: "com.example.any", data: { a: 1 } });
const authorized = ({ token }: Place) => [["Authorization", `Bearer ${token}`]] as [string, string][];

type Row = [name: string, weight: number, expected: number | readonly number[], send: Kind["send"]];

const needing: Row[] = [
  ["a trigger", 30, 200, (place, n) => send(place, { path: "/trigger-sync", headers: { "idempotency-key": `k${n}` } })],
  ["a key again", 8, 200, (p, n) => send(p, { path: "/trigger-sync", headers: { "idempotency-key": `r${n % 50}` } })],
  ["a reason", 4, 200, (p) => send(p, { path: "/trigger-sync", headers: json, body: '{"reason":"soak ü"}' })],
  ["an event", 10, 202, (place, n) => send(place, { path: "/", headers: eventOf(n) })],
  ["a ping", 2, 202, (place, n) => send(place, { path: "/", headers: eventOf(n, "dev.knative.sources.ping") })],
  [
    "a structured event",
    4,
    202,
    (p, n) => send(p, { path: "/", headers: { "content-type": "application/cloudevents+json" }, body: structured(n) }),
  ],
  ["the list of Jobs", 4, 200, (place) => send(place, { method: "GET", path: "/jobs?limit=5" })],
  ["the latest Job", 4, [200, 404], (place) => send(place, { method: "GET", path: "/jobs/latest" })],
  [
    "a wait",
    2,
    [200, 404],
    (place) => send(place, { method: "GET", path: "/jobs/latest", headers: { prefer: "wait=1" } }),
  ],
  ["a Job that is not there", 2, 404, (place) => send(place, { method: "GET", path: "/jobs/none" })],
  ["a log of nothing", 2, 404, (place) => send(place, { method: "GET", path: "/jobs/none/logs" })],
  ["who leaves a wait", 2, 0, leaveWait],
];
const notNeeding: Row[] = [
  ["metrics", 1, 200, (place) => send(place, { method: "GET", path: "/metrics" })],
  ["a probe", 4, 200, (place) => send(place, { method: "GET", path: "/health/readiness" })],
  ["the API's description", 1, 200, (place) => send(place, { method: "GET", path: "/openapi.json" })],
  ["a wrong token", 4, 401, (p) => send(p, { path: "/trigger-sync", headers: { authorization: "Bearer wrong" } })],
  ["no JSON", 3, 400, (place) => send(place, { path: "/trigger-sync", headers: json, body: '{"reason":' })],
  ["an unknown field", 3, 422, (place) => send(place, { path: "/trigger-sync", headers: json, body: '{"x":1}' })],
  [
    "another media type",
    2,
    415,
    (p) => send(p, { path: "/trigger-sync", headers: { "content-type": "a/b" }, body: "x" }),
  ],
  ["a body too large", 2, 413, (p) => send(p, { path: "/trigger-sync", headers: json, body: " ".repeat(70_000) })],
  ["no event", 2, 400, (place) => send(place, { path: "/" })],
  ["an event without an id", 2, 400, (p, n) => send(p, { path: "/", headers: { ...eventOf(n), "ce-id": "" } })],
  ["a wrong method", 2, 405, (place) => send(place, { method: "DELETE", path: "/trigger-sync" })],
  ["a path that is none", 2, 404, (place, n) => send(place, { method: "GET", path: `/none/${n}` })],
  [
    "a doubled header",
    2,
    400,
    (place) => {
      const twice = [...authorized(place), ["Content-Type", "a/b"], ["Content-Type", "c/d"], ["Connection", "close"]];
      return sendBytes(place, requestBytes("POST /trigger-sync", twice as [string, string][]));
    },
  ],
  ["headers too large", 1, 431, (place) => sendBytes(place, requestBytes("GET /", [["X", "x".repeat(20_000)]]))],
  [
    "random bytes",
    2,
    [0, 400],
    (place) => sendBytes(place, Buffer.concat([randomBytes(200), Buffer.from("\r\n\r\n")])),
  ],
  ["who leaves early", 3, 0, leaveEarly],
  [
    "a slow sender of headers",
    1,
    0,
    (place) => sendBytes(place, Buffer.from("POST /trigger-sync HTTP/1.1\r\nHost: h\r\n")),
  ],
  [
    "a slow sender of a body",
    1,
    0,
    (place) => {
      const headers = [...authorized(place), ["Content-Length", "9"]] as [string, string][];
      return sendBytes(place, requestBytes("POST /trigger-sync", headers));
    },
  ],
];

const toKinds = (rows: Row[], needsApiServer: boolean): Kind[] =>
  rows.map(([name, weight, expected, sendOne]) => ({
    ...{ name, weight, needsApiServer, send: sendOne },
    expected: typeof expected === "number" ? [expected] : expected,
  }));

/** All the traffic there is, good and bad. */
export const kinds: readonly Kind[] = [...toKinds(needing, true), ...toKinds(notNeeding, false)];

/** Each kind as often as its weight says. */
export const mixed: readonly Kind[] = kinds.flatMap((kind) => Array<Kind>(kind.weight).fill(kind));
