import { once } from "node:events";
import { Agent } from "node:https";
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { openAhead } from "../../functions/kubernetes/open-ahead.ts";
import { createTransport, type NoAnswer } from "../../functions/kubernetes/transport.ts";
import { startApiStub } from "../support/api-stub.ts";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { until } from "../support/until.ts";

let certificate: Certificate;
beforeAll(() => {
  certificate = makeCertificate("api");
});

const tls = () => ({ key: certificate.key, cert: certificate.cert });

function makeAgent(ca = certificate.cert): Agent {
  const agent = new Agent({ keepAlive: true, ca });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** The status of a GET, or why there is no answer. */
async function get(agent: Agent, port: string, { timeoutMs = 5_000 } = {}): Promise<number | string> {
  const place = { isSecure: true, host: "127.0.0.1", port, basePath: "" };
  const transport = createTransport({
    access: async () => ({ ...place, headers: {}, agent, streamAgent: agent }),
    reload: async () => {},
  });
  const answer = transport.send({ method: "GET", path: "/", timeoutMs, signal: new AbortController().signal });
  return answer.then(
    ({ status }) => status,
    ({ message, sent }: NoAnswer) => `${message}, ${sent ? "sent" : "not sent"}`,
  );
}

/** Lets a server of this test listen, and gives its port. */
async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return String((server.address() as AddressInfo).port);
}

/** A port before a server that lets nothing through until it is told to. */
async function startGate(portBehind: string): Promise<{ port: string; sockets: Socket[]; open(): void }> {
  const sockets: Socket[] = [];
  const opened = Promise.withResolvers<void>();
  const gate: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    void opened.promise.then(() => {
      const behind = dial(Number(portBehind), "127.0.0.1").on("error", () => {});
      socket.pipe(behind).pipe(socket);
      socket.once("close", () => behind.destroy());
    });
  });
  const port = await listen(gate);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, sockets, open: opened.resolve };
}

const portOf = (stub: { server: string }) => new URL(stub.server).port;

it("the first request goes over the connection that was opened ahead, and so do those after it", async () => {
  const stub = await startApiStub({ tls: tls() });
  const agent = makeAgent();
  openAhead(agent, { host: "127.0.0.1", port: portOf(stub) });
  await until("the connection", () => stub.connections() === 1);
  expect(stub.requests).toEqual([]);
  for (let call = 0; call < 3; call += 1) {
    expect(await get(agent, portOf(stub))).toBe(200);
    await until("the connection to be back", () => Object.keys(agent.freeSockets).length === 1);
  }
  expect(stub.requests.map(({ connection }) => connection)).toEqual([1, 1, 1]);
});

it("a second request at the same time opens its own", async () => {
  const stub = await startApiStub({ tls: tls() });
  const agent = makeAgent();
  openAhead(agent, { host: "127.0.0.1", port: portOf(stub) });
  expect(await Promise.all([get(agent, portOf(stub)), get(agent, portOf(stub))])).toEqual([200, 200]);
  expect(stub.connections()).toBe(2);
});

it("a request that comes during the handshake waits for it, no longer than it may, and leaves the connection to the next", async () => {
  const stub = await startApiStub({ tls: tls() });
  const gate = await startGate(portOf(stub));
  const agent = makeAgent();
  openAhead(agent, { host: "127.0.0.1", port: gate.port });
  const late = "no answer within the deadline, not sent";
  expect(await get(agent, gate.port, { timeoutMs: 100 })).toBe(late);
  gate.open();
  await until("the connection to stand", () => stub.connections() === 1);
  expect(await get(agent, gate.port)).toBe(200);
  expect([stub.requests.length, gate.sockets.length]).toEqual([1, 1]);
});

it.each<[what: string, answer: string, meet: (socket: Socket) => void]>([
  ["is cut off in the handshake", "ECONNRESET, not sent", (socket) => socket.resetAndDestroy()],
  ["speaks no TLS", "EPROTO, not sent", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
])("nothing is said of a connection that %s: the request meets it anew", async (_what, answer, meet) => {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.on("error", () => {});
    meet(socket);
  });
  const port = await listen(server);
  const agent = makeAgent();
  openAhead(agent, { host: "127.0.0.1", port });
  await until("the connection", () => count === 1);
  expect(await get(agent, port)).toBe(answer);
  expect(count).toBe(2);
});

it("a request waits a second for one that hangs in its handshake, and opens its own then", async () => {
  const stub = await startApiStub({ tls: tls() });
  let count = 0;
  const hung = createServer((socket) => {
    count += 1;
    socket.on("error", () => {});
    if (count > 1) socket.pipe(dial(Number(portOf(stub)), "127.0.0.1").on("error", () => {})).pipe(socket);
  });
  const port = await listen(hung);
  const agent = makeAgent();
  openAhead(agent, { host: "127.0.0.1", port });
  await until("the connection", () => count === 1);
  expect(await get(agent, port, { timeoutMs: 8_000 })).toBe(200); // it would be closed after ten seconds
  expect([count, stub.requests.length]).toEqual([2, 1]);
});

it("one over which something came unasked is not used: that would be taken for the answer", async () => {
  let isFirst = true;
  const talkative = createTlsServer(tls(), (socket) => {
    socket.on("error", () => {});
    if (isFirst) socket.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    else socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    isFirst = false;
  });
  const port = await listen(talkative);
  const agent = makeAgent();
  const created: TLSSocket[] = [];
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = create(options, callback);
    created.push(socket as TLSSocket);
    return socket;
  };
  openAhead(agent, { host: "127.0.0.1", port });
  await until("what came unasked", () => (created[0]?.readableLength ?? 0) > 0);
  expect(await get(agent, port)).toBe(200);
  expect(created[0]?.destroyed).toBe(true);
});

it("a server that is not the one we trust gets no request over it", async () => {
  const stub = await startApiStub({ tls: tls() });
  const agent = makeAgent(makeCertificate("stranger").cert);
  openAhead(agent, { host: "127.0.0.1", port: portOf(stub) });
  expect(await get(agent, portOf(stub))).toMatch(/(SELF_SIGNED|UNABLE_TO_VERIFY).*, not sent/);
  expect(stub.requests).toEqual([]);
});

it("one that nobody asks for is closed after ten seconds, and the request that comes later opens its own", async () => {
  const stub = await startApiStub({ tls: tls() });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const agent = makeAgent();
  openAhead(agent, { host: "127.0.0.1", port: portOf(stub) });
  while (stub.connections() === 0) await new Promise(setImmediate);
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  expect(await get(agent, portOf(stub))).toBe(200);
  expect(stub.requests.map(({ connection }) => connection)).toEqual([2]);
});
