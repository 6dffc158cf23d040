import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Access, Credentials } from "./credentials.ts";

/** A request to the API server; `path` is escaped already. */
export type ApiRequest = {
  method: "GET" | "POST" | "PUT";
  path: string;
  body?: string;
  /** The media types that are taken, JSON if unset. */
  accept?: string;
  /** For this one request, ms; `signal` can end it earlier. */
  timeoutMs: number;
  signal: AbortSignal;
  /** The longest answer that is read; unset: no object is longer. */
  answerLimitBytes?: number;
  /** W3C Trace Context, section 3.2: an API server with tracing on goes on with it. */
  traceparent?: string | undefined;
};

/** A GET whose answer is taken as it comes. `timeoutMs` bounds its beginning, unset: nothing does but `signal`. */
export type OpenRequest = Pick<ApiRequest, "path" | "signal"> & { timeoutMs?: number };

/** An answer whatever its status, its body read whole. */
export type ApiAnswer = { status: number; headers: IncomingMessage["headers"]; body: string };

/** The beginning of an answer whatever its status; the stream breaks off with an error when `signal` is aborted. */
type ApiStream = Pick<ApiAnswer, "status" | "headers"> & { stream: IncomingMessage };

/** No whole answer came. `sent` is false only when the request cannot have reached the server. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly sent: boolean;

  constructor(sent: boolean, cause: unknown) {
    super(describeCause(cause), { cause });
    this.sent = sent;
  }
}

/** Sends requests over keep-alive agents. */
export type Transport = {
  /** Sends a request and reads its answer. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** Sends a request and gives its answer as soon as that begins. */
  open(request: OpenRequest): Promise<ApiStream>;
};

/** An answer larger than this is none of ours: etcd takes objects of 1.5 MiB at most. */
const answerLimitBytes = 4 * 1024 * 1024;
/** The latter for the keys of the token issuer. */
const anyJson = "application/json, application/jwk-set+json";

/** A transport with these credentials; after a 401 they are read again and the request is sent once more. */
export function createTransport(credentials: Pick<Credentials, "access" | "reload">): Transport {
  async function withFreshCredentials<T extends { status: number }>(attempt: (access: Access) => Promise<T>) {
    const answer = await attempt(await credentials.access());
    if (answer.status !== 401) return answer;
    await credentials.reload(); // a 401 was not executed: any request may be sent again
    // By then the answer's connection is back in its agent, also where its request was written out only now.
    await new Promise(setImmediate);
    return attempt(await credentials.access());
  }

  return {
    send: (request) => withFreshCredentials((access) => sendOnce(access, request)),
    open: (request) => withFreshCredentials((access) => openOnce(access, request)),
  };
}

async function sendOnce(access: Access, request: ApiRequest): Promise<ApiAnswer> {
  const { status, headers, stream, whyStopped } = await begin(access, access.agent, request, "whole");
  const body = await readWhole(stream, request.answerLimitBytes).catch((cause) => {
    throw new NoAnswer(true, whyStopped() ?? cause);
  });
  return { status, headers, body };
}

function openOnce(access: Access, request: OpenRequest): Promise<ApiStream> {
  return begin(access, access.streamAgent, { ...request, method: "GET" }, "beginning");
}

/** What is sent, and until when. */
type Outgoing = Pick<ApiRequest, "method" | "path" | "body" | "accept" | "signal" | "traceparent"> & {
  timeoutMs?: number;
};

/**
 * Sends a request and waits until its answer begins; `bounded` says how much of the answer must be there in time. Rejects
 * with NoAnswer. A timer and a listener of our own: AbortSignal.any and its errors took a tenth of a trigger's CPU time.
 */
function begin(
  { isSecure, host, port, basePath, headers }: Access,
  agent: Access["agent"],
  { method, path, body, accept = anyJson, signal, timeoutMs, traceparent }: Outgoing,
  bounded: "beginning" | "whole",
) {
  return new Promise<ApiStream & { whyStopped(): unknown }>((resolve, reject) => {
    let connected = false;
    let stopped: unknown;
    const send = isSecure ? requestHttps : requestHttp;
    const outgoing = send(
      {
        ...{ host, port, path: basePath + path, method, agent },
        headers: {
          accept,
          "user-agent": "sync-trigger",
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          ...(traceparent === undefined ? {} : { traceparent }),
          ...headers,
        },
      },
      (stream) => {
        if (bounded === "beginning") clearTimeout(timer);
        resolve({ status: stream.statusCode ?? 0, headers: stream.headers, stream, whyStopped: () => stopped });
      },
    );
    const stop = (reason: unknown) => {
      stopped = reason;
      outgoing.destroy(new Error("stopped")); // which is told only when it has a socket
      reject(new NoAnswer(connected, reason));
    };
    const abort = () => stop(signal.reason);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop(timeoutError()), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    outgoing.once("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    });
    outgoing.once("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else
        socket.once(isSecure ? "secureConnect" : "connect", () => {
          connected = true;
        });
    });
    outgoing.on("error", (cause) => reject(new NoAnswer(connected, stopped ?? cause)));
    if (signal.aborted) abort();
    else outgoing.end(body);
  });
}

/** The text of a stream. Rejects when it breaks off or is longer than the limit. */
export function readWhole(stream: IncomingMessage, limitBytes = answerLimitBytes): Promise<string> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) return reject(stream.errored ?? new Error("the answer broke off"));
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > limitBytes) stream.destroy(new Error(`answer over ${limitBytes} bytes`));
    });
    stream.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    stream.once("error", reject);
    stream.once("close", () => stream.readableEnded || reject(new Error("the answer broke off")));
  });
}

function timeoutError(): DOMException {
  return new DOMException("no answer within the deadline", "TimeoutError");
}

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return "no answer";
  if (cause.name === "TimeoutError") return "no answer within the deadline";
  const { code } = cause as NodeJS.ErrnoException;
  return code ?? cause.message;
}
