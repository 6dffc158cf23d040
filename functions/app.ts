import { randomBytes, randomUUID } from "node:crypto";
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { type Admit, createAdmission, laneOfRead } from "./admission.ts";
import type { Authenticate } from "./auth.ts";
import { readBody } from "./body.ts";
import type { Config } from "./config.ts";
import { isEventRequest } from "./core/cloudevent.ts";
import { headerValues, type RawHeaders, refuseAmbiguous, singleHeader } from "./core/headers.ts";
import { continueTrace } from "./core/traceparent.ts";
import { FAULTS, Fault, toFault } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { toEventProblem, toProblem } from "./problem.ts";
import type { Handler, Reply, Route } from "./route.ts";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { triggerRoutes } from "./routes/trigger-sync.ts";
import { sendReply } from "./send-reply.ts";
import type { TriggerContext } from "./trigger.ts";

/** What the app needs from the process. */
export type AppContext = TriggerContext & {
  config: Config;
  metrics: Metrics;
  log: Logger;
  /** undefined: authentication is off. */
  authenticate: Authenticate | undefined;
  /** Aborted when we are ending: new requests get 503, and connections close with their answers. */
  draining: AbortSignal;
};

/** What every request needs besides. */
type Life = AppContext & { admit: Admit };

const probes = healthRoutes.map(({ path }) => path);

/** Made once: an AbortError for each request, with its stack, is work that nobody reads. */
const nobodyWaits = new Error("the client has its whole answer, or has left");
/** The status of a log line whose request nobody waits for any more (nginx's number); it is never sent. */
const clientLeft = 499;

/** The route table as an Express app; every answer and every log line is made here. */
export function createApp(appContext: AppContext): Express {
  const context: Life = { ...appContext, admit: createAdmission(appContext.config.maxInFlight) };
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing").enable("strict routing");
  app.set("query parser", false);
  const routes = [...healthRoutes, ...triggerRoutes(context), ...jobRoutes(context), metricsRoute(context.metrics)];
  for (const route of [...routes, openApiRoute(routes)]) mount(app, context, route);
  app.use(
    answerWith(context, ({ path }) => {
      throw new Fault("route-not-found", `nothing at ${path.slice(0, 200)}; see README for the routes`);
    }),
  );
  const refusePath: ErrorRequestHandler = (_error, request, response, _next) =>
    answerWith(context, () => {
      throw new Fault("malformed-request", "the path has a broken percent-encoding");
    })(request, response);
  app.use(refusePath);
  return app;
}

function mount(app: Express, context: Life, { path, methods }: Route): void {
  const allowed = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const { GET, POST } = methods;
  // One layer for "all": app.all would make one for each of the thirty methods that Node knows.
  const route = app.route(toPattern(path));
  if (GET) route.get(answerWith(context, () => GET));
  if (POST) route.post(answerWith(context, () => POST));
  route.all(
    answerWith(context, ({ method }) => {
      const detail = `${method} ${path}: allowed is ${allowed.join(", ")}`;
      throw new Fault("method-not-allowed", detail, { headers: { Allow: allowed.join(", ") } });
    }),
  );
}

/** A route's path as Express would read it, without the tables of Unicode that its reader loads: a millisecond of each start. */
function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`);
}

/** The life of a request: id, handler, answer, one log line. `select` may throw the Fault to answer with. */
function answerWith(context: Life, select: (request: Request) => Handler) {
  return async (request: Request, response: Response): Promise<void> => {
    const startedAtMs = performance.now();
    const id = requestId(request.headers["x-request-id"]);
    const traceparent = traceparentOf(request.rawHeaders);
    const facts: Record<string, unknown> = { traceparent };
    const gone = new AbortController();
    context.metrics.addInFlight(1);
    response.once("close", () => gone.abort(nobodyWaits));
    let leave = () => {};
    let reply: Reply;
    try {
      refuseAmbiguous(request.rawHeaders, request.httpVersion);
      if (!context.authenticate) singleHeader(request.rawHeaders, "authorization");
      const isProbe = probes.includes(request.path);
      if (context.draining.aborted && !isProbe) {
        throw new Fault("shutting-down", "this instance is ending; try again", { headers: { "Retry-After": "1" } });
      }
      // Every path but the probes, unknown ones included: who may not come in learns nothing of what is there.
      const caller = isProbe
        ? undefined
        : await context.authenticate?.(request.rawHeaders, request.method === "POST" ? "trigger" : "read");
      const authenticationMs = performance.now() - startedAtMs;
      if (caller !== undefined) facts.caller = caller;
      if (!isProbe && request.method !== "POST") leave = context.admit(laneOfRead(request));
      reply = await select(request)({
        id,
        caller,
        authenticationMs,
        traceparent,
        rawHeaders: request.rawHeaders,
        params: request.params as Record<string, string>,
        query: new URLSearchParams(/\?(.*)/s.exec(request.url)?.[1]),
        gone: gone.signal,
        draining: context.draining,
        readBody: async () => {
          const body = await readBody(request, context.config.bodyLimitBytes);
          leave = context.admit("triggers");
          return body;
        },
        note: (more) => Object.assign(facts, more),
        log: context.log,
      });
    } catch (error) {
      const fault = toFault(error);
      const isLeft = gone.signal.aborted && fault.code === "internal-error"; // the work was stopped, nothing is wrong
      Object.assign(facts, isLeft ? { clientLeft: true } : { code: fault.code, detail: fault.message });
      if (fault.code === "internal-error" && !isLeft) facts.err = fault.cause;
      reply = isLeft ? { status: clientLeft } : toErrorReply(fault, id, isEventRequest(request.rawHeaders));
    }
    const answer = { ...reply, headers: { ...reply.headers, "X-Request-Id": id } };
    const sent = await sendReply(request, response, answer, {
      draining: context.draining,
      timeoutMs: context.config.requestTimeoutS * 1_000,
    });
    leave();
    const elapsedMs = performance.now() - startedAtMs;
    context.metrics.addInFlight(-1);
    context.metrics.countRequest({
      door: String(facts.via ?? doorOf(request)),
      outcome: String(facts.outcome ?? facts.code ?? "ok"),
      cause: facts.cause === undefined ? undefined : String(facts.cause),
      status: reply.status,
      durationS: elapsedMs / 1_000,
    });
    const durationMs = Math.round(elapsedMs);
    const line = { id, method: request.method, path: request.path.slice(0, 200), status: reply.status, durationMs };
    context.log[levelOf(request.path, reply.status)]({ ...line, ...facts, ...sent }, "request");
  };
}

/** Where a request came in that did not get as far as telling a ping from other events. */
function doorOf({ method, path, rawHeaders }: Request): "probe" | "read" | "event" | "http" {
  if (probes.includes(path)) return "probe";
  if (method !== "POST") return "read";
  return isEventRequest(rawHeaders) ? "event" : "http";
}

function toErrorReply(fault: Fault, id: string, toEventSender: boolean): Reply {
  const problem = toProblem(fault, id);
  const { status } = FAULTS[fault.code];
  const comeBack = status === 503 ? { "Retry-After": "5" } : {}; // seconds; whoever knows better says so
  const headers = { ...comeBack, ...fault.headers, "Content-Type": "application/problem+json" };
  return { status, headers, json: toEventSender ? toEventProblem(problem) : problem };
}

/** A doubled header begins a new trace: nobody's request fails for the sake of tracing. */
function traceparentOf(rawHeaders: RawHeaders): string {
  const [received, ...others] = headerValues(rawHeaders, "traceparent");
  return continueTrace(others.length > 0 ? undefined : received, randomBytes(24).toString("hex"));
}

/** The caller's id where it can do no harm in a header or a log, else one of ours. */
function requestId(received: string | string[] | undefined): string {
  return typeof received === "string" && /^[A-Za-z0-9._:-]{1,128}$/.test(received) ? received : randomUUID();
}

function levelOf(path: string, status: number): "debug" | "info" | "warn" | "error" {
  if (status === clientLeft) return "info";
  if (status >= 500) return "error";
  if (status >= 400) return "warn";
  return probes.includes(path) ? "debug" : "info";
}
