import type { RawHeaders } from "./core/headers.ts";
import type { Logger } from "./log.ts";

/** A request as routes see it; the path and method were matched already. */
export type RouteRequest = {
  id: string;
  rawHeaders: RawHeaders;
  /** The body whole. Throws 413 above the limit, 415 when it is compressed. */
  readBody(): Promise<Buffer>;
  /** Facts for the one log line of this request; later ones win. */
  note(facts: Record<string, unknown>): void;
  log: Logger;
};

/** An answer as a value; functions/app.ts alone knows how it becomes a response. No `json`: an empty body. */
export type Reply = { status: number; headers?: Record<string, string>; json?: unknown };

export type Handler = (request: RouteRequest) => Reply | Promise<Reply>;

/** One line of the route table: what stands at a path, by method. */
export type Route = { path: string; methods: { [method in "GET" | "POST"]?: Handler } };
