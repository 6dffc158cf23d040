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
  const coding = request.headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    throw new Fault("unsupported-media-type", "transfer-encoding: chunked is the only one");
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

const longestRestMs = 5_000;
const longestRestBytes = 16 * 1024 * 1024;

/**
 * Reads on, for a while, what is still being sent after the answer, and throws it away: were the connection closed at
 * once, a sender that reads only afterwards would meet a reset in place of the answer. Resolves when it may be closed.
 */
export function discardRest(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, longestRestMs);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > longestRestBytes) end();
    });
    for (const event of ["end", "error", "close"]) request.once(event, end);
    request.resume();
  });
}
