import type { IncomingMessage } from "node:http";
import { bodyTooLarge, unmodelled, unsupportedMediaType } from "./status.ts";

const limitBytes = 3 * 1024 * 1024;

/** The body of a request as text; throws 413 beyond 3 MiB. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    // What is too long is read to its end all the same, so that the sender gets to see the answer.
    if (size <= limitBytes) chunks.push(chunk as Buffer);
  }
  if (size > limitBytes) throw bodyTooLarge(limitBytes);
  return Buffer.concat(chunks).toString();
}

/** The media type of a request's body, in lower case and without its parameters. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Refuses a body in another format than JSON; none named means JSON. */
export function refuseOtherMediaType(request: IncomingMessage): void {
  const type = mediaTypeOf(request);
  if (type === "" || type === "application/json") return;
  if (/^application\/(yaml|vnd\.kubernetes\.protobuf|cbor)$/.test(type)) throw unmodelled(`a body of type ${type}`);
  throw unsupportedMediaType();
}
