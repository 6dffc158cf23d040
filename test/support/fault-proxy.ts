import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from "node:http";
import { request as requestHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { KubeApi } from "./kube-api.ts";

/** What becomes of a request on its way. `answer` never reaches the API server; the `after` kinds do. */
export type Fault =
  | { kind: "hang" }
  | { kind: "reset" }
  | { kind: "reset after forwarding" }
  | { kind: "hang after forwarding" }
  | { kind: "half the body after forwarding" }
  | { kind: "wrong content type after forwarding" }
  | { kind: "delay"; ms: number }
  | { kind: "answer"; status: number; body?: unknown; headers?: Record<string, string> };

/** One request that the function sent. */
export type ProxiedRequest = { method: string; path: string; authorization: string | undefined };

/** A server between the function and the API server that spoils what a rule tells it to. */
export type FaultProxy = {
  url: string;
  /** Every request so far, spoiled or not. */
  requests: ProxiedRequest[];
  /** For each request the fault, or undefined to let it pass. */
  rule(rule: (request: ProxiedRequest) => Fault | undefined): void;
  close(): Promise<void>;
};

/** Starts a proxy on a free port; it speaks to the API server with the given connection's own credentials. */
export async function startFaultProxy(api: KubeApi): Promise<FaultProxy> {
  const requests: ProxiedRequest[] = [];
  let rule: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const proxied = { method, path: url, authorization: headers.authorization };
    requests.push(proxied);
    const fault = rule(proxied);
    const body = await readAll(request);
    await spoil(api, { method, path: url, body }, fault, response).catch(() => response.socket?.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    rule: (next) => {
      rule = next;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Forwarded = { method: string; path: string; body: Buffer };
type Answer = { status: number; headers: IncomingMessage["headers"]; body: Buffer };

async function spoil(api: KubeApi, request: Forwarded, fault: Fault | undefined, response: ServerResponse) {
  const reset = () => response.socket?.resetAndDestroy();
  if (!fault) return reply(response, await forward(api, request));
  switch (fault.kind) {
    case "delay":
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return reply(response, await forward(api, request));
    case "hang":
      return;
    case "reset":
      return reset();
    case "answer":
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      return response.end(JSON.stringify(fault.body ?? {}));
  }
  const answer = await forward(api, request);
  switch (fault.kind) {
    case "hang after forwarding":
      return;
    case "reset after forwarding":
      return reset();
    case "half the body after forwarding":
      return reply(response, { ...answer, body: answer.body.subarray(0, answer.body.length / 2) });
    case "wrong content type after forwarding":
      return reply(response, { ...answer, headers: { ...answer.headers, "content-type": "text/html" } });
  }
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  const { "content-type": type = "application/json", "retry-after": retryAfter } = headers;
  response.writeHead(status, {
    "content-type": type,
    ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
  });
  response.end(body);
}

async function forward(api: KubeApi, { method, path, body }: Forwarded): Promise<Answer> {
  const { server, options } = await api.connection();
  const send = server.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, "content-type": "application/json", "content-length": body.length };
    const outgoing = send(new URL(path, server), { ...options, method, headers }, async (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: await readAll(answer) });
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
