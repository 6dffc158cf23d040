import * as z from "zod/mini";
import type { Config } from "../config.ts";
import { preferredWaitS } from "../core/prefer.ts";
import { parseQuery } from "../core/query.ts";
import { Fault } from "../errors.ts";
import { createJobReader, lookMarginMs } from "../jobs/job-reader.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { logQuerySchema } from "../jobs/log-request.ts";
import { openLog } from "../jobs/open-log.ts";
import type { JobsContext } from "../jobs/read-run.ts";
import type { Handler, RouteRequest } from "../route.ts";
import { shareRuns } from "../share-runs.ts";

const defaultLimit = 20;
const maxLimit = 100;
const maxWaitS = 25;
/** The deadline of a look without a wait. */
const lookTimeoutMs = 10_000;

/** The query of GET /jobs. */
export const listQuerySchema = z.strictObject({
  limit: z
    .optional(
      z.string().check(
        z.refine((text) => /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= maxLimit, {
          message: `expected a whole number from 1 to ${maxLimit}`,
        }),
      ),
    )
    .check(z.describe(`How many, at most ${maxLimit}; ${defaultLimit} when left out.`)),
});

/** The query of GET /jobs/NAME. */
const showQuerySchema = z.strictObject({});

/** The handlers of the routes under /jobs. */
export function createJobHandlers(
  context: JobsContext & { config: Pick<Config, "requestTimeoutS" | "logLimitBytes"> },
): Record<"list" | "show" | "readLog", Handler> {
  const reader = createJobReader(context);
  // One listing for all limits: each holds a page of the namespace's Jobs.
  const listAll = shareRuns((_key, signal) => listJobs(context, maxLimit, signal));
  const list = async (limit: number, signal: AbortSignal) => (await listAll("", signal)).slice(0, limit);

  /** The name that a path means; `latest` is the newest Job. */
  async function resolveName({ params }: RouteRequest, signal: AbortSignal): Promise<string> {
    const { name = "" } = params;
    if (name !== "latest") return name;
    const [newest] = await list(1, signal);
    if (newest) return newest.name;
    throw new Fault("job-not-found", `CronJob ${context.namespace}/${context.config.cronJobName} has no Jobs`);
  }

  return {
    async list({ query, gone }) {
      const { limit = String(defaultLimit) } = parseQuery(listQuerySchema, query);
      const jobs = await within(lookTimeoutMs, gone, (signal) => list(Number(limit), signal));
      return { status: 200, headers: noStore, json: { jobs } };
    },

    async show(request) {
      parseQuery(showQuerySchema, request.query);
      const waitS = preferredWaitS(request.rawHeaders, maxWaitS);
      const waitMs = (waitS ?? 0) * 1_000 - lookMarginMs;
      const view = await within(Math.max(waitMs + 2 * lookMarginMs, lookTimeoutMs), request.gone, async (signal) => {
        const enough = AbortSignal.any([AbortSignal.timeout(Math.max(waitMs, 0)), request.draining]);
        const name = await resolveName(request, signal);
        return waitMs > 0 ? reader.waitAndLook(name, enough, signal) : reader.look(name, signal);
      });
      const applied = waitS === undefined ? {} : { "Preference-Applied": `wait=${waitS}` };
      const location = { "Content-Location": `/jobs/${view.name}` };
      return { status: 200, headers: { ...noStore, ...location, Vary: "Prefer", ...applied }, json: view };
    },

    async readLog(request) {
      const { gone, draining, log } = request;
      const wanted = parseQuery(logQuerySchema, request.query);
      const { requestTimeoutS, logLimitBytes: limitBytes } = context.config;
      const name = await within(lookTimeoutMs, gone, (signal) => resolveName(request, signal));
      const readRun = (until: AbortSignal) => within(lookTimeoutMs, until, (signal) => reader.readRun(name, signal));
      const source = { cluster: context.cluster, readRun, request: wanted, limitBytes };
      const body = await openLog(name, source, { gone, draining, requestTimeoutS }, log);
      const headers = {
        ...noStore,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Location": `/jobs/${name}/logs`,
      };
      return { status: 200, headers: { ...headers, "X-Content-Type-Options": "nosniff" }, body };
    },
  };
}

/** What a Job was a moment ago is no answer to how it stands now. */
const noStore = { "Cache-Control": "no-store" };

/** Runs a look until its deadline or until the client leaves. Throws 503 when the time is over. */
async function within<T>(timeoutMs: number, gone: AbortSignal, look: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    return await look(AbortSignal.any([gone, late]));
  } catch (error) {
    if (error !== late.reason) throw error;
    const detail = "the API server did not answer within the deadline";
    throw new Fault("api-unavailable", detail, { cause: error, headers: { "Retry-After": "5" } });
  }
}
