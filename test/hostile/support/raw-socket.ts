import { connect, type Socket } from "node:net";

/** What came back over a connection of its own. */
export type RawAnswer = {
  /** Every byte, one character each. */
  text: string;
  /** The status of each response, in order. */
  statuses: number[];
  /** Whether the other side ended the connection, before our own patience did. */
  closed: boolean;
};

export type RawOptions = {
  /** How long to wait for the other side to end the connection. */
  patienceMs?: number;
  /** After so many responses it waits no longer than for one that would be too many. */
  responses?: number;
  /** End when the answer looks like this, and do not wait for the other side. */
  until?: (text: string) => boolean;
};

/** Within which a response that is too many would come. */
const oneMoreMs = 300;
const statusLine = /HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/g;

/** The statuses of all responses in a text; a 100 Continue is none. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(statusLine)].map(([, status]) => Number(status)).filter((status) => status >= 200);
}

/** Sends bytes over a new connection, and gives what comes back until it is closed or our patience ends. */
export function sendRaw(url: string, bytes: string | Buffer, options: RawOptions = {}): Promise<RawAnswer> {
  const { patienceMs = 20_000, responses = Number.POSITIVE_INFINITY, until } = options;
  const socket = connectTo(url);
  return new Promise((resolve) => {
    let text = "";
    let closed = false;
    let timer = setTimeout(finish, patienceMs);
    let isEnough = false;
    function finish() {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, statuses: statusesOf(text), closed });
    }
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (until?.(text)) finish();
      else if (!isEnough && statusesOf(text).length >= responses) {
        isEnough = true;
        clearTimeout(timer);
        timer = setTimeout(finish, oneMoreMs);
      }
    });
    socket.on("error", () => undefined); // a reset is an end like any other; "close" follows
    socket.on("close", () => {
      closed = true;
      finish();
    });
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

/** A connection to the host and port of a URL. */
export function connectTo(url: string, options: { allowHalfOpen?: boolean } = {}): Socket {
  const { hostname, port } = new URL(url);
  return connect({ host: hostname, port: Number(port), noDelay: true, ...options });
}

/** A request as bytes; header values go in as they are, latin1 for one character a byte. */
export function requestBytes(
  start: string,
  headers: readonly (readonly [name: string, value: string])[] = [],
  body: string | Buffer = "",
): Buffer {
  const content = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  const all: (readonly [string, string])[] = [["Host", "h"], ...headers];
  if (content.length > 0) all.push(["Content-Length", String(content.length)]);
  const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${start} HTTP/1.1\r\n${head}\r\n`, "latin1"), content]);
}
