import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Refusal, type RunningServer, startServer } from "../functions/server.ts";
import { connectTo, statusesOf } from "./hostile/support/raw-socket.ts";
import { until } from "./support/until.ts";

let server: RunningServer | undefined;
let refusals: Refusal[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.drain(1);
});

const ok: RequestListener = (request, response) => {
  request.resume().once("error", () => undefined);
  response.end(`at ${request.url}`);
};

type Connection = { text: string; isClosed: boolean; socket: Socket };

/** A client that never ends a connection by itself. */
async function connect(
  app: RequestListener,
  limits: { keepAliveTimeoutMs?: number; receiveTimeoutMs?: number } = {},
): Promise<Connection> {
  refusals = [];
  const all = { port: 0, keepAliveTimeoutMs: 60_000, receiveTimeoutMs: 60_000, ...limits };
  server = await startServer(app, all, (refusal) => refusals.push(refusal));
  const socket = connectTo(`http://127.0.0.1:${server.port}`, { allowHalfOpen: true });
  sockets.push(socket);
  const connection: Connection = { text: "", isClosed: false, socket };
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    connection.text += chunk.toString("latin1");
  });
  for (const event of ["end", "close"]) {
    socket.on(event, () => {
      connection.isClosed = true;
    });
  }
  return connection;
}

const closed = (connection: Connection) => until("the connection to be closed", () => connection.isClosed);
const answered = (connection: Connection, count = 1) =>
  until("an answer", () => statusesOf(connection.text).length >= count);
const request = (target = "/") => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;

describe("a connection", () => {
  it("that says nothing is kept as long as an idle one, past the time for headers, and then still serves", async () => {
    const connection = await connect(ok, { receiveTimeoutMs: 300 });
    await pause(1_000); // the time for headers is over several times
    expect(connection.isClosed).toBe(false);
    connection.socket.write(request());
    await answered(connection);
    expect(statusesOf(connection.text)).toEqual([200]);
  });

  it("that says nothing is closed when an idle one would be", async () => {
    const connection = await connect(ok, { receiveTimeoutMs: 300, keepAliveTimeoutMs: 500 });
    await closed(connection);
    expect(connection.text).toBe("");
  });

  it("that said nothing for long and then sends slowly is closed as any slow one", async () => {
    const connection = await connect(ok, { receiveTimeoutMs: 300 });
    await pause(500);
    connection.socket.write("GET / HTTP/1.1\r\n");
    await closed(connection);
    expect(connection.text).toBe("");
  });

  it("is closed some time after its last answer, which says how long it is kept", async () => {
    const connection = await connect(ok, { keepAliveTimeoutMs: 1_000 });
    connection.socket.write(request());
    await closed(connection);
    expect(connection.text).toMatch(/^keep-alive: timeout=1$/im);
  });

  it.each([
    ["a request line", "GET / HT", ""],
    ["headers", "GET / HTTP/1.1\r\nHost: h\r\n", ""],
    ["a body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", ""],
  ])("whose %s never comes whole is closed without a status", async (what, bytes, text) => {
    const connection = await connect((incoming) => incoming.resume(), { receiveTimeoutMs: 300 });
    connection.socket.write(bytes);
    await closed(connection);
    expect(connection.text).toBe(text);
    const isOfApp = what === "a body"; // which has the request, and so tells of it
    expect(refusals).toEqual(isOfApp ? [] : [{ id: expect.any(String), status: 0, code: "too-slow" }]);
  });

  it.each([
    ["garbage", "\u0000\u0001\r\n\r\n", 400, "malformed-request"],
    ["a method of no standard", "SYNC / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed-request"],
    ["CONNECT", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed-request"],
    ["too large headers", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431, "headers-too-large"],
  ])(
    "with %s is refused in words of ours, and ended though its client does not",
    async (_what, bytes, status, code) => {
      const connection = await connect(ok);
      connection.socket.write(bytes);
      await until("the connection to be closed", () => connection.isClosed);
      expect(statusesOf(connection.text)).toEqual([status]);
      expect(connection.text).toMatch(/^content-type: application\/problem\+json$/im);
      expect(refusals).toEqual([{ id: expect.any(String), status, code }]);
      expect(JSON.parse(connection.text.split("\r\n\r\n")[1] ?? "")).toMatchObject({
        ...{ type: `urn:sync-trigger:${code}`, status, instance: refusals[0]?.id },
      });
      await until("the connection to be gone", () => {
        connection.socket.write("more");
        return connection.socket.destroyed;
      });
    },
  );
});

describe("a request's target", () => {
  it.each([
    ["/a?b=c", "/a?b=c"],
    ["http://elsewhere/a?b", "/a?b"],
    ["HTTPS://u:p@elsewhere:1/a", "/a"],
    ["http://elsewhere", "/"],
    ["http://elsewhere?a=/b", "/?a=/b"],
    ["http://[::1", "/"],
    ["gopher://h/a", "/gopher://h/a"],
    ["*", "/*"],
    ["//u@[::1/a", "//u@[::1/a"],
    ["/a#b", "/a"],
    ["//u@h/health/#x", "//u@h/health/"],
  ])("%s is the path %s", async (target, path) => {
    const connection = await connect(ok);
    connection.socket.write(request(target));
    await answered(connection);
    expect(connection.text).toMatch(new RegExp(`\r\n\r\nat ${path.replace(/[?*[\]]/g, "\\$&")}$`));
  });
});

describe("drain", () => {
  it("waits for what is asked and ends what says nothing", async () => {
    let isAsked = false;
    const connection = await connect((_incoming, response) => {
      isAsked = true;
      setTimeout(() => response.end("late"), 300);
    });
    const silent = connectTo(`http://127.0.0.1:${server?.port}`);
    sockets.push(silent);
    connection.socket.write(request());
    await until("the request to be there", () => isAsked);
    expect(await server?.drain(10_000)).toBe(true);
    await answered(connection);
    expect(statusesOf(connection.text)).toEqual([200]);
  });

  it("ends what does not end, and says so", async () => {
    let isAsked = false;
    const connection = await connect(() => {
      isAsked = true;
    });
    connection.socket.write(request());
    await until("the request to be there", () => isAsked);
    expect(await server?.drain(200)).toBe(false);
    await closed(connection);
  });
});
