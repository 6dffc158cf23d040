import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP relay that stands for an API server's address: it leads elsewhere from one moment to the next. */
export type Relay = {
  port: number;
  /** How many connections were opened so far. */
  opened(): number;
  /** From now on new connections lead to this port; those that are there stay. */
  leadTo(port: number): void;
  /** Breaks every connection off with a reset, in the middle of whatever it does. */
  resetAll(): void;
  close(): Promise<void>;
};

/** Starts one on a free port of 127.0.0.1. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let target = port;
  let opened = 0;
  const server = createServer({ noDelay: true }, (client) => {
    opened += 1;
    const upstream = connect({ port: target, host: "127.0.0.1", noDelay: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.resetAndDestroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const resetAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    opened: () => opened,
    leadTo: (next) => {
      target = next;
    },
    resetAll,
    async close() {
      server.close();
      resetAll();
    },
  };
}
