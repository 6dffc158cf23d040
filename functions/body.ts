import type { IncomingMessage } from "node:http";
import { Fault } from "./errors.ts";

/**
 * Reads a request's body, counting the bytes that come and not what its headers say.
 * Throws 413 above the limit, 415 for a compressed body, 400 when the sender breaks off.
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new Fault("unsupported-media-type", "content-encoding: send the body uncompressed");
  }
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Leaving the loop must not end the connection: the answer still has to go out on it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limitBytes) throw new Fault("body-too-large", `the body is over ${limitBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault("malformed-request", "the body broke off", { cause });
  }
  return Buffer.concat(chunks);
}
