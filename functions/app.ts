import { randomUUID } from "node:crypto";
import express, { type Express, type Request, type Response } from "express";
import { readBody } from "./body.ts";
import type { Config } from "./config.ts";
import { isEventRequest } from "./core/cloudevent.ts";
import { FAULTS, Fault, toFault } from "./errors.ts";
import type { Logger } from "./log.ts";
import { toEventProblem, toProblem } from "./problem.ts";
import type { Handler, Reply, Route } from "./route.ts";
import { healthRoutes } from "./routes/health.ts";
import { triggerRoutes } from "./routes/trigger-sync.ts";
import type { TriggerContext } from "./trigger.ts";

/** What the app needs from the process. */
export type AppContext = TriggerContext & {
  config: Config;
  log: Logger;
  /** Whether we are ending: new requests get 503, and connections close with their answers. */
  isDraining(): boolean;
};

/** The route table as an Express app; every answer and every log line is made here. */
export function createApp(context: AppContext): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing").enable("strict routing");
  app.set("query parser", false);
  for (const { path, methods } of [...healthRoutes, ...triggerRoutes(context)]) mount(app, context, { path, methods });
  app.use(
    answerWith(context, ({ path }) => {
      throw new Fault("route-not-found", `nothing at ${path.slice(0, 200)}; see README for the routes`);
    }),
  );
  return app;
}

function mount(app: Express, context: AppContext, { path, methods }: Route): void {
  const allowed = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const { GET, POST } = methods;
  if (GET)
    app.get(
      path,
      answerWith(context, () => GET),
    );
  if (POST)
    app.post(
      path,
      answerWith(context, () => POST),
    );
  app.all(
    path,
    answerWith(context, ({ method }) => {
      const detail = `${method} ${path}: allowed is ${allowed.join(", ")}`;
      throw new Fault("method-not-allowed", detail, { headers: { Allow: allowed.join(", ") } });
    }),
  );
}

/** The life of a request: id, handler, answer, one log line. `select` may throw the Fault to answer with. */
function answerWith(context: AppContext, select: (request: Request) => Handler) {
  return async (request: Request, response: Response): Promise<void> => {
    const startedAtMs = performance.now();
    const id = requestId(request.headers["x-request-id"]);
    const facts: Record<string, unknown> = {};
    let reply: Reply;
    try {
      const isProbe = request.path.startsWith("/health/");
      if (context.isDraining() && !isProbe) {
        throw new Fault("shutting-down", "this instance is ending; try again", { headers: { "Retry-After": "1" } });
      }
      reply = await select(request)({
        id,
        rawHeaders: request.rawHeaders,
        readBody: () => readBody(request, context.config.bodyLimitBytes),
        note: (more) => Object.assign(facts, more),
        log: context.log,
      });
    } catch (error) {
      const fault = toFault(error);
      Object.assign(facts, { code: fault.code, detail: fault.message });
      if (fault.code === "internal-error") facts.err = fault.cause;
      reply = toErrorReply(fault, id, isEventRequest(request.rawHeaders));
    }
    const durationMs = Math.round(performance.now() - startedAtMs);
    const line = { id, method: request.method, path: request.path.slice(0, 200), status: reply.status, durationMs };
    context.log[levelOf(request.path, reply.status)]({ ...line, ...facts }, "request");
    send(request, response, { ...reply, headers: { ...reply.headers, "X-Request-Id": id } }, context.isDraining());
  };
}

function toErrorReply(fault: Fault, id: string, toEventSender: boolean): Reply {
  const problem = toProblem(fault, id);
  const headers = { ...fault.headers, "Content-Type": "application/problem+json" };
  return { status: FAULTS[fault.code].status, headers, json: toEventSender ? toEventProblem(problem) : problem };
}

/** The one place that writes a response. */
function send(request: Request, response: Response, { status, headers, json }: Reply, isLast: boolean): void {
  const body = json === undefined ? "" : typeof json === "string" ? json : `${JSON.stringify(json)}\n`;
  response.statusCode = status;
  if (body !== "") response.setHeader("Content-Type", "application/json");
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  // What is left of an unread body would be taken for the next request, so such a connection ends here.
  if (isLast || !request.complete) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" ? "" : body);
}

/** The caller's id where it can do no harm in a header or a log, else one of ours. */
function requestId(received: string | string[] | undefined): string {
  return typeof received === "string" && /^[A-Za-z0-9._:-]{1,128}$/.test(received) ? received : randomUUID();
}

function levelOf(path: string, status: number): "debug" | "info" | "warn" | "error" {
  if (status >= 500) return "error";
  if (status >= 400) return "warn";
  return path.startsWith("/health/") ? "debug" : "info";
}
