import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Config } from "./config.ts";
import { Fault } from "./errors.ts";
import { toProblem } from "./problem.ts";

/** A listening server that can end without losing a request. */
export type RunningServer = {
  port: number;
  /** Stops listening and waits until every request is answered, at most `timeoutMs`; tells whether all were. */
  drain(timeoutMs: number): Promise<boolean>;
};

/** What Node's parser refused, or waited for in vain. Status 0: closed without an answer. */
export type Refusal =
  | { id: string; status: 400 | 431; code: "malformed-request" | "headers-too-large" }
  | { id: string; status: 0; code: "malformed-request" | "headers-too-large" | "too-slow" };

/** Open connections, each with its requests that have no whole answer yet. */
type Connections = Map<Duplex, Set<IncomingMessage>>;

type Limits = Pick<Config, "port" | "keepAliveTimeoutMs" | "receiveTimeoutMs">;

/** Bodies of 64 KiB in all of them, and sockets' own buffers, fit the memory that the manifests give. */
const maxConnections = 2_048;
/** How long a connection that was refused stays, so that its client can read why. */
const refusedForMs = 1_000;

/** Listens on a port (0: any free one), and tells of requests that never reach the app. Rejects when it is taken. */
export async function startServer(
  app: RequestListener,
  limits: Limits,
  tellRefusal: (refusal: Refusal) => void,
): Promise<RunningServer> {
  const { port, keepAliveTimeoutMs, receiveTimeoutMs } = limits;
  const connections: Connections = new Map();
  const listener: RequestListener = (request, response) => {
    const unanswered = connections.get(request.socket);
    unanswered?.add(request);
    response.once("close", () => unanswered?.delete(request));
    request.url = toPath(request.url);
    app(request, response);
  };
  const server = createServer(
    {
      // queue-proxy keeps idle connections for 90 s; were ours closed first, its next POST would meet a reset (502).
      keepAliveTimeout: keepAliveTimeoutMs,
      keepAliveTimeoutBuffer: Math.ceil(keepAliveTimeoutMs / 100), // later than the Keep-Alive header promises
      requestTimeout: receiveTimeoutMs,
      headersTimeout: Math.ceil(receiveTimeoutMs / 2),
      connectionsCheckingInterval: Math.ceil(receiveTimeoutMs / 30),
      maxHeaderSize: 16_384,
      requireHostHeader: false, // app.ts refuses it with the other headers, in an answer and a log line of ours
    },
    listener,
  );
  server.maxConnections = maxConnections;
  server.on("connection", (socket: Socket) => {
    connections.set(socket, new Set());
    socket.once("close", () => connections.delete(socket));
  });
  const refuse = (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (socket.writableEnded) return; // refused already; what it sent since then is another error
    if (error.code === "ECONNRESET") return void socket.destroy();
    // What comes behind a request that waits for its answer is refused without one: it would be taken for that answer.
    const unanswered = [...(connections.get(socket) ?? [])];
    const isBehind = unanswered.some(({ complete }) => complete);
    const isOfApp = unanswered.some(({ complete }) => !complete); // its body broke: the app tells of it
    const refusal = toRefusal(error, !isBehind && socket.writable);
    if (refusal.status === 0) socket.destroy();
    else answerRefusal(refusal, socket, isOfHead(error));
    if (!isOfApp) tellRefusal(refusal);
  };
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const isSlow = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (isSlow && hasNeverSpoken(socket)) closeUnlessUsed(socket as Socket, keepAliveTimeoutMs);
    else refuse(error, socket);
  });
  server.on("checkExpectation", listener); // an expectation that we do not know may be passed over (RFC 9110, 10.1.1)
  server.on("connect", (_request, socket: Duplex) => refuse(new Error("CONNECT"), socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, backlog: maxConnections }, () => resolve()); // a burst waits and is not dropped
  });
  return { port: (server.address() as AddressInfo).port, drain: (timeoutMs) => drain(server, connections, timeoutMs) };
}

/**
 * A request's target as a path: a proxy may send a whole URL (RFC 9112, section 3.2.2). What is neither becomes a path
 * that leads nowhere, because Express answers such targets by itself, past our authentication and log.
 */
function toPath(target = ""): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
  return path.startsWith("/") ? path : `/${path}`;
}

function hasNeverSpoken(socket: Duplex): boolean {
  return (socket as Socket).bytesRead === 0;
}

/** A proxy's pool holds connections that it opened and did not need at once: they live as long as used ones. */
function closeUnlessUsed(socket: Socket, afterMs: number): void {
  setTimeout(() => hasNeverSpoken(socket) && socket.destroy(), afterMs).unref();
}

/** A slow sender gets no status: Node's own 408 would lose a PingSource's event. */
function toRefusal({ code }: NodeJS.ErrnoException, mayAnswer: boolean): Refusal {
  const id = randomUUID();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { id, status: 0, code: "too-slow" };
  if (code === "HPE_HEADER_OVERFLOW") return { id, status: mayAnswer ? 431 : 0, code: "headers-too-large" };
  return { id, status: mayAnswer ? 400 : 0, code: "malformed-request" };
}

/** Whether what was refused is a HEAD, whose answer has no body. */
function isOfHead(error: Error & { rawPacket?: Buffer }): boolean {
  return error.rawPacket?.subarray(0, 5).toString("latin1") === "HEAD ";
}

function answerRefusal({ id, status, code }: Exclude<Refusal, { status: 0 }>, socket: Duplex, isHead: boolean): void {
  const detail = "what came could not be read as HTTP/1.1 within the limits";
  const body = JSON.stringify(toProblem(new Fault(code, detail), id));
  const type = `Content-Type: application/problem+json\r\nX-Request-Id: ${id}\r\n`;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${type}`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${isHead ? "" : body}`);
  setTimeout(() => socket.destroy(), refusedForMs).unref();
}

function drain(server: Server, connections: Connections, timeoutMs: number): Promise<boolean> {
  // A connection that becomes idle only now would be kept for the next request, which will not come.
  const closeIdle = () => {
    server.closeIdleConnections();
    for (const socket of connections.keys()) if (hasNeverSpoken(socket)) socket.destroy();
  };
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
      resolve(false);
    }, timeoutMs);
    const sweep = setInterval(closeIdle, 100);
    // A connection that looks idle may hold a request that has come and was not read yet: that is read first.
    setImmediate(() => {
      server.close(() => {
        clearTimeout(timer);
        clearInterval(sweep);
        resolve(true);
      });
      closeIdle();
    });
  });
}
