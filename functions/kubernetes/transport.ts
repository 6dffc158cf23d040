import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Access, Credentials } from "./credentials.ts";

/** A request to the API server; `path` is escaped already. */
export type ApiRequest = {
  method: "GET" | "POST" | "PUT";
  path: string;
  body?: string;
  /** For this one request, ms; `signal` can end it earlier. */
  timeoutMs: number;
  signal: AbortSignal;
};

/** An answer whatever its status, its body read whole. */
export type ApiAnswer = { status: number; headers: IncomingMessage["headers"]; body: string };

/** No whole answer came. `sent` is false only when the request cannot have reached the server. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly sent: boolean;

  constructor(sent: boolean, cause: unknown) {
    super(describeCause(cause), { cause });
    this.sent = sent;
  }
}

/** Sends requests over one keep-alive agent. */
export type Transport = { send(request: ApiRequest): Promise<ApiAnswer> };

/** An answer larger than this is none of ours: etcd takes objects of 1.5 MiB at most. */
const answerLimitBytes = 4 * 1024 * 1024;

/** A transport with these credentials; after a 401 they are read again and the request is sent once more. */
export function createTransport(credentials: Credentials): Transport {
  return {
    async send(request) {
      const answer = await sendOnce(await credentials.access(), request);
      if (answer.status !== 401) return answer;
      await credentials.reload(); // a 401 was not executed: any request may be sent again
      return sendOnce(await credentials.access(), request);
    },
  };
}

function sendOnce({ server, headers, agent }: Access, { method, path, body, timeoutMs, signal }: ApiRequest) {
  return new Promise<ApiAnswer>((resolve, reject) => {
    let connected = false;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const fail = (cause: unknown) => reject(new NoAnswer(connected, deadline.aborted ? deadline.reason : cause));
    const send = server.protocol === "https:" ? requestHttps : requestHttp;
    const outgoing = send(
      new URL(server.pathname.replace(/\/$/, "") + path, server),
      {
        method,
        agent,
        signal: deadline,
        headers: {
          accept: "application/json",
          "user-agent": "sync-trigger",
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (answer) =>
        readWhole(answer).then(
          (text) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
          fail,
        ),
    );
    outgoing.once("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else
        socket.once(server.protocol === "https:" ? "secureConnect" : "connect", () => {
          connected = true;
        });
    });
    outgoing.once("error", fail);
    outgoing.end(body);
  });
}

async function readWhole(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > answerLimitBytes) throw new Error(`answer over ${answerLimitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return "no answer";
  if (cause.name === "TimeoutError") return "no answer within the deadline";
  const { code } = cause as NodeJS.ErrnoException;
  return code ?? cause.message;
}
