import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connectTo } from "./raw-socket.ts";

/** A network between two sockets. */
export type DelayRelay = { url: string; close(): Promise<void> };

/** Passes bytes and ends on, each so many ms later. */
export async function startDelayRelay(target: string, delayMs: number): Promise<DelayRelay> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connectTo(target, { allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => setTimeout(() => to.write(chunk), delayMs));
      from.on("end", () => setTimeout(() => to.end(), delayMs));
      from.on("error", () => setTimeout(() => to.resetAndDestroy(), delayMs));
      from.on("close", () => sockets.delete(from));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
