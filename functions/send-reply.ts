import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { discardRest } from "./body.ts";
import type { Reply } from "./route.ts";

/** How long a client may take for what is sent to it. */
type Limits = {
  /** Aborted when we are ending: connections close with their answers. */
  draining: AbortSignal;
  /** Milliseconds that the Service gives a request. */
  timeoutMs: number;
};

/** How long a client that does not read holds up our end. */
const lastMs = 3_000;

/** Writes an answer; resolves with facts for the request's log line when it is out, a stream when it has ended. */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, json, body }: Reply,
  limits: Limits,
): Promise<Record<string, unknown>> {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  // What is left of an unread body would be taken for the next request, so such a connection ends here.
  if (limits.draining.aborted || !request.complete) response.setHeader("Connection", "close");
  if (body && request.method !== "HEAD") return sendStream(response, body, limits);
  if (body) {
    response.end();
    return {};
  }
  const text = json === undefined ? "" : typeof json === "string" ? json : `${JSON.stringify(json)}\n`;
  if (text !== "" && !response.hasHeader("Content-Type")) response.setHeader("Content-Type", "application/json");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  if (response.closed) return {}; // the client has left
  const timer = setTimeout(() => response.destroy(), limits.timeoutMs); // a client that does not read
  response.once("close", () => clearTimeout(timer));
  if (request.complete) response.end(text);
  else {
    response.flushHeaders();
    if (text !== "") response.write(text);
    discardRest(request).then(() => response.end());
  }
  return {};
}

async function sendStream(response: ServerResponse, body: AsyncIterable<Uint8Array>, { draining, timeoutMs }: Limits) {
  const stuck = new AbortController();
  const timer = setTimeout(() => stuck.abort(), timeoutMs);
  const hurry = () => setTimeout(() => stuck.abort(), lastMs).unref();
  if (draining.aborted) hurry();
  else draining.addEventListener("abort", hurry, { once: true, signal: stuck.signal });
  let bytes = 0;
  async function* counted() {
    for await (const chunk of body) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  response.flushHeaders(); // a reader must know that it is connected before the first line comes
  try {
    await pipeline(counted, response, { signal: stuck.signal });
    return { bytes };
  } catch {
    return { bytes, clientLeft: true };
  } finally {
    clearTimeout(timer);
    stuck.abort();
  }
}
