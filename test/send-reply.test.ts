import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { sendReply } from "../functions/send-reply.ts";

async function receive() {
  const server = createServer();
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void client.destroy());
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const [request, response] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
  return { client, request, response };
}

it.each(["before the answer begins", "while it is sent"])(
  "gives up a stream that nobody reads 3 s after an end that came %s",
  async (when) => {
    const { client, request, response } = await receive();
    client.pause();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const draining = new AbortController();
    if (when === "before the answer begins") draining.abort();
    async function* body() {
      for (;;) yield Buffer.alloc(65_536);
    }
    const limits = { draining: draining.signal, timeoutMs: 300_000 };
    const sent = sendReply(request, response, { status: 200, body: body() }, limits);
    await once(client, "readable");
    draining.abort();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(response.destroyed).toBe(true);
    expect(await sent).toMatchObject({ clientLeft: true });
    expect(vi.getTimerCount()).toBe(0);
  },
);

it("keeps nothing of a request whose client has left before its answer", async () => {
  const { client, request, response } = await receive();
  client.destroy();
  await once(response, "close");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const limits = { draining: new AbortController().signal, timeoutMs: 300_000 };
  await sendReply(request, response, { status: 200, json: {} }, limits);
  expect(vi.getTimerCount()).toBe(0);
});
