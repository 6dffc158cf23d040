import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A request as it arrived; `connection` counts from 1 in the order in which connections were opened. */
type StubRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  connection: number;
};

/** What becomes of a request; nothing written means that it hangs. */
export type StubAnswer = (response: ServerResponse, request: StubRequest) => void;

/** A server that stands for the API server: it records what comes and answers as it is told. */
export type ApiStub = {
  server: string;
  requests: StubRequest[];
  /** Connections that were opened so far. */
  connections(): number;
  /** The answers from now on, one a request; the last one goes on. */
  answer(...answers: StubAnswer[]): void;
};

/** Starts a stub for one test, with TLS when options for it are given. */
export async function startApiStub({ tls }: { tls?: ServerOptions } = {}): Promise<ApiStub> {
  const requests: StubRequest[] = [];
  const numbers = new Map<Socket, number>();
  let answers: StubAnswer[] = [json(200, {})];
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = "", url: path = "", headers, socket } = request;
    const received = {
      ...{ method, path, headers, body: Buffer.concat(chunks).toString("utf8") },
      connection: numbers.get(socket) ?? 0,
    };
    requests.push(received);
    const [answer] = answers;
    if (answers.length > 1) answers = answers.slice(1);
    answer?.(response, received);
  };
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => numbers.set(socket, numbers.size + 1));
  server.keepAliveTimeout = 60_000; // a busy machine may stand still for longer than Node's five seconds
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return {
    server: `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => numbers.size,
    answer: (...next) => {
      answers = next;
    },
  };
}

/** An object, or a text that is sent as it is, as JSON. */
export function json(status: number, body: object | string, headers: Record<string, string> = {}): StubAnswer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

/** A Status object, as the API server answers what it does not do. */
export function status(
  code: number,
  reason: string,
  {
    message = `${reason} it is`,
    details,
    headers,
  }: { message?: string; details?: object; headers?: Record<string, string> } = {},
): StubAnswer {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
  return json(code, body, headers);
}

/** No answer, ever. */
export const hang: StubAnswer = () => {};

/** The connection is reset instead of an answer. */
export const reset: StubAnswer = (response) => (response.socket as Socket).resetAndDestroy();
