import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from "node:http";
import { request as requestHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
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
  /** Forwarded when `until` is settled. */
  | { kind: "hold"; until: Promise<unknown> }
  /** The answer passes up to that many bytes and is then broken off, or ended as if it were whole. */
  | { kind: "break off" | "end early"; afterBytes: number }
  | { kind: "answer"; status: number; body?: unknown; headers?: Record<string, string> };

/** One request that the function sent. */
export type ProxiedRequest = {
  method: string;
  path: string;
  authorization: string | undefined;
  traceparent: string | undefined;
  /** Bytes of the answer's body that the function was sent so far. */
  bytes: number;
  /** Whether the exchange still goes on, with the function or with the API server. */
  isOpen: boolean;
};

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
    // The policy canary looks once, some seconds after the first trigger: it is no part of any trigger.
    const isCanary = url.includes("dryRun=All");
    const { authorization } = headers;
    const traceparent = headers.traceparent as string | undefined;
    const proxied = { method, path: url, authorization, traceparent, bytes: 0, isOpen: true };
    if (!isCanary) requests.push(proxied);
    const closed = new Promise((resolve) => response.once("close", resolve));
    const fault = isCanary ? undefined : rule(proxied);
    const body = await readAll(request);
    const forwarded = { method, path: url, body };
    const limitBytes = fault && "afterBytes" in fault ? fault.afterBytes : Number.POSITIVE_INFINITY;
    const streams = !fault || "afterBytes" in fault;
    const work = streams
      ? passOn(api, forwarded, response, { proxied, limitBytes, isBroken: fault?.kind === "break off" })
      : spoil(api, forwarded, fault, response);
    await work.catch(() => response.socket?.resetAndDestroy());
    await closed;
    proxied.isOpen = false;
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

type Passing = { proxied: ProxiedRequest; limitBytes: number; isBroken: boolean };

/** Streams an answer as it comes, and ends it at either side when the other one does. */
async function passOn(api: KubeApi, request: Forwarded, response: ServerResponse, passing: Passing): Promise<void> {
  const { proxied, limitBytes, isBroken } = passing;
  const answer = await open(api, request, response);
  copyHead(response, answer);
  response.flushHeaders();
  async function* limited() {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, limitBytes - proxied.bytes);
      proxied.bytes += part.length;
      if (part.length > 0) yield part;
      if (proxied.bytes < limitBytes) continue;
      if (isBroken) throw new Error("broken off");
      return;
    }
  }
  await pipeline(limited, response);
}

async function spoil(api: KubeApi, request: Forwarded, fault: Fault, response: ServerResponse) {
  const reset = () => response.socket?.resetAndDestroy();
  switch (fault.kind) {
    case "delay":
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return reply(response, await forward(api, request));
    case "hold":
      await fault.until;
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
  copyHead(response, { statusCode: status, headers });
  response.end(body);
}

function copyHead(response: ServerResponse, { statusCode, headers }: Pick<IncomingMessage, "statusCode" | "headers">) {
  const { "content-type": type = "application/json", "retry-after": retryAfter } = headers;
  response.writeHead(statusCode ?? 0, {
    "content-type": type,
    ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
  });
}

async function forward(api: KubeApi, request: Forwarded): Promise<Answer> {
  const answer = await open(api, request);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await readAll(answer) };
}

/** Sends a request on; it ends early when the client of `response` does. */
async function open(api: KubeApi, { method, path, body }: Forwarded, response?: ServerResponse) {
  const { server, options } = await api.connection();
  const send = server.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { ...options.headers, "content-type": "application/json", "content-length": body.length };
    let isWhole = false; // its connection may serve another request by now
    const outgoing = send(new URL(path, server), { ...options, method, headers }, (answer) => {
      answer.once("end", () => {
        isWhole = true;
      });
      resolve(answer);
    });
    response?.once("close", () => !isWhole && outgoing.destroy());
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
