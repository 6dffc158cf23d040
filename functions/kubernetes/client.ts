import { setTimeout as pause } from "node:timers/promises";
import { isJsonObject, type JsonObject, parseJsonExactly } from "../core/json.ts";
import { ApiError, isPassing } from "./api-error.ts";
import type { CallOptions, Cluster } from "./cluster.ts";
import { type ApiAnswer, type ApiRequest, NoAnswer, type Transport } from "./transport.ts";

/** A Cluster over a transport. `timeoutMs` bounds each request; reads are tried up to three times. */
export function createCluster(
  transport: Transport,
  { namespace, cronJobName, timeoutMs }: { namespace: string; cronJobName: string; timeoutMs: number },
): Cluster {
  const batch = `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}`;

  async function call(
    name: keyof Cluster,
    request: Pick<ApiRequest, "method" | "path" | "body">,
    options: CallOptions,
  ) {
    const answer = await transport.send({ ...request, timeoutMs, signal: options.signal }).catch((error) => {
      const sent = error instanceof NoAnswer && error.sent; // other errors come before sending: credentials
      throw new ApiError(
        { call: name, status: 0, reason: "", message: describe(error), mayHaveTakenEffect: sent },
        error,
      );
    });
    return readObject(name, answer);
  }

  const read = (name: keyof Cluster, path: string, options: CallOptions) =>
    retryRead(() => call(name, { method: "GET", path }, options), options.signal);

  return {
    getCronJob: (options) => read("getCronJob", `${batch}/cronjobs/${encodeURIComponent(cronJobName)}`, options),
    getJob: (name, options) => read("getJob", `${batch}/jobs/${encodeURIComponent(name)}`, options),
    createJob: (job, options) =>
      // `timeout` makes the server drop the work when nobody waits for it any more.
      call(
        "createJob",
        { method: "POST", path: `${batch}/jobs?timeout=${Math.ceil(timeoutMs / 1_000)}s`, body: JSON.stringify(job) },
        options,
      ),
  };
}

const retryDelaysMs = [100, 500];
const longestRetryAfterS = 2;

/** Tries a read again while its failure is a passing one, as long as the server does not ask for a longer pause. */
async function retryRead(read: () => Promise<JsonObject>, signal: AbortSignal): Promise<JsonObject> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ApiError) || !isPassing(error.failure) || signal.aborted) throw error;
      const { retryAfterS = 0 } = error.failure;
      if (retryAfterS > longestRetryAfterS) throw error;
      await pause(Math.max(delayMs, retryAfterS * 1_000), undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
  return read();
}

/** The object of a 2xx answer. Throws an ApiError for any other, and for one that is no JSON object. */
function readObject(call: keyof Cluster, { status, headers, body }: ApiAnswer): JsonObject {
  const object = parseObject(headers["content-type"], body);
  const succeeded = status >= 200 && status < 300;
  if (succeeded && object) return object;
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const retryAfterS = /^\d{1,6}$/.test(headers["retry-after"] ?? "") ? Number(headers["retry-after"]) : undefined;
  throw new ApiError({
    call,
    status: succeeded ? 0 : status,
    reason: text(object?.reason),
    message: succeeded ? "an answer that is no whole JSON object" : describeStatus(status, object),
    retryAfterS,
    mayHaveTakenEffect: succeeded || status >= 500,
  });
}

function parseObject(contentType: string | undefined, body: string): JsonObject | undefined {
  if (!contentType?.startsWith("application/json")) return undefined;
  try {
    const value = parseJsonExactly(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a Status object says. Of an invalid field only name and reason: the message quotes its value, and a template's
 * values can be secrets. A cause without a field is an admission policy's own sentence.
 */
function describeStatus(status: number, object: JsonObject | undefined): string {
  const details = isJsonObject(object?.details) ? object.details : {};
  if (status === 422 && Array.isArray(details.causes)) {
    const causes = details.causes
      .filter(isJsonObject)
      .map(({ field, reason, message }) => (field === undefined ? message : `${field}: ${reason}`));
    return `invalid: ${causes.join(", ")}`.slice(0, 400);
  }
  return typeof object?.message === "string" ? object.message.slice(0, 400) : `HTTP ${status}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : "no answer";
}
