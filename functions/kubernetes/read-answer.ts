import { isJsonObject, type Json, type JsonObject, parseJsonExactly } from "../core/json.ts";
import { ApiError } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { type ApiAnswer, NoAnswer } from "./transport.ts";

/** For `.catch`: throws the ApiError of a call that got no whole answer. */
export function reportNoAnswer(call: keyof Cluster): (error: unknown) => never {
  return (error) => {
    const sent = error instanceof NoAnswer && error.sent; // other errors come before sending: credentials
    const message = error instanceof Error ? error.message : "no answer";
    throw new ApiError({ call, status: 0, reason: "", message, mayHaveTakenEffect: sent }, error);
  };
}

/** The object of a 2xx answer; numbers as they came, unless `parse` is another. Throws an ApiError for any other, and for one that is no JSON object. */
export function readObject(
  call: keyof Cluster,
  { status, headers, body }: ApiAnswer,
  parse: (text: string) => Json = parseJsonExactly,
): JsonObject {
  const object = parseObject(headers["content-type"], body, parse);
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

function parseObject(
  contentType: string | undefined,
  body: string,
  parse: (text: string) => Json,
): JsonObject | undefined {
  if (!contentType?.startsWith("application/json")) return undefined;
  try {
    const value = parse(body);
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
