import { once } from "node:events";
import type { Socket } from "node:net";
import { connectTo } from "./raw-socket.ts";

/** One answer: status 0 when the connection ended without any. */
export type ClientAnswer = { status: number; head: string; body: string };

/** A connection that is used again as long as the other side keeps it. */
export type RawClient = {
  /** Sends a request and gives its first answer; what may be two requests is the last on its connection. */
  send(bytes: Buffer, options: { isOneRequest: boolean }): Promise<ClientAnswer>;
  close(): void;
};

/** Makes one. */
export function createRawClient(url: string): RawClient {
  let kept: Socket | undefined;
  return {
    async send(bytes, { isOneRequest }) {
      const socket = kept && !kept.destroyed && kept.readable ? kept : await open(url);
      kept = undefined;
      const answer = await exchange(socket, bytes);
      const mayBeKept = isOneRequest && answer.status > 0 && !/^connection: close/im.test(answer.head);
      if (mayBeKept) kept = socket;
      else socket.destroy();
      return answer;
    },
    close: () => kept?.destroy(),
  };
}

async function open(url: string): Promise<Socket> {
  const socket = connectTo(url);
  await once(socket, "connect");
  socket.on("error", () => undefined); // a reset is an end like any other
  return socket;
}

function exchange(socket: Socket, bytes: Buffer): Promise<ClientAnswer> {
  return new Promise((resolve) => {
    let text = "";
    const finish = () => {
      socket.off("data", take).off("close", finish);
      resolve(parse(text) ?? { status: 0, head: "", body: "" });
    };
    const take = (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (parse(text)) finish();
    };
    socket.on("data", take).on("close", finish);
    socket.write(bytes);
  });
}

/** The first answer in a text, once it is whole. */
function parse(text: string): ClientAnswer | undefined {
  const at = text.indexOf("\r\n\r\n");
  if (at === -1) return undefined;
  const head = text.slice(0, at);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  if (status === 100) return parse(text.slice(at + 4));
  const isChunked = /^transfer-encoding: chunked$/im.test(head);
  if (isChunked) return text.endsWith("\r\n0\r\n\r\n") ? { status, head, body: text.slice(at + 4) } : undefined;
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  const rest = text.slice(at + 4);
  if (rest.length < length) return undefined;
  return { status, head, body: rest.slice(0, length) };
}
