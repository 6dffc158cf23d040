import type { RawHeaders } from "./core/headers.ts";
import type { Logger } from "./log.ts";

/** A request as routes see it; the path and method were matched already. */
export type RouteRequest = {
  id: string;
  /** Who is calling, verified; undefined when authentication is off. */
  caller: string | undefined;
  /** What finding that out took, ms. */
  authenticationMs: number;
  /** Our own step in the caller's trace, or in a new one. */
  traceparent: string;
  rawHeaders: RawHeaders;
  /** The parts of the path that the route's own path names, such as `:name`, decoded. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** Aborted when the client has left or has its whole answer: work for it can end. */
  gone: AbortSignal;
  /** Aborted when we are ending: whatever waits must answer now. */
  draining: AbortSignal;
  /** The body whole. Throws 413 above the limit, 415 when it is compressed. */
  readBody(): Promise<Buffer>;
  /** Facts for the one log line of this request; later ones win. */
  note(facts: Record<string, unknown>): void;
  log: Logger;
};

/**
 * An answer as a value; functions/send-reply.ts alone knows how it becomes a response. Neither `json` nor `body`: an
 * empty body. A `body` is sent as it comes, no faster than the client reads; it must end when `gone` is aborted.
 */
export type Reply = {
  status: number;
  headers?: Record<string, string>;
  json?: unknown;
  body?: AsyncIterable<Uint8Array>;
};

export type Handler = (request: RouteRequest) => Reply | Promise<Reply>;

/** One line of the route table: what stands at a path, by method. */
export type Route = { path: string; methods: { [method in "GET" | "POST"]?: Handler } };
