import type { Agent } from "node:https";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";

/** Longer than a start takes; what nobody asks for by then is closed. */
const unusedForMs = 10_000;
/** A request waits no longer for a connection that does not come to stand: its own may be luckier. */
const patienceMs = 1_000;

/**
 * Opens a connection of an agent before there is a request for it: the first request takes it over as soon as it stands,
 * so that the handshake of a cold start goes on beside what else is to be done. One that comes to nothing is forgotten:
 * the request opens its own then, and tells what is wrong.
 */
export function openAhead(agent: Agent, { host, port }: { host: string; port: string }): void {
  const open = agent.createConnection.bind(agent);
  const servername = agent.options.servername ?? (isIP(host) ? "" : host);
  const early = open({ ...agent.options, host, port: Number(port || 443), servername }) as TLSSocket;
  const stands = new Promise<boolean>((resolve) => {
    early.once("secureConnect", () => resolve(true));
    early.once("close", () => resolve(false));
  });
  const unused = setTimeout(() => early.destroy(), unusedForMs).unref();
  const ignore = () => {};
  early.on("error", ignore);
  early.unref();
  // What came before anything was asked would be taken for the answer.
  const isFresh = () => early.writable && early.readableLength === 0;

  agent.createConnection = (options, callback) => {
    agent.createConnection = open;
    const handOver = (isThere: boolean) => {
      if (isThere && isFresh()) {
        clearTimeout(unused);
        early.off("error", ignore).ref();
        return callback?.(null, early);
      }
      early.destroy();
      const own = open(options, callback);
      if (own) callback?.(null, own);
    };
    const inVain = new Promise<boolean>((resolve) => setTimeout(resolve, patienceMs, false).unref());
    Promise.race([stands, inVain])
      .then(handOver)
      .catch((error) => callback?.(error, early));
    return undefined;
  };
}
