import { Agent, request } from "node:http";

/** What came of a load: answers, and how long each took. */
type Load = { seconds: number; latenciesMs: number[]; failed: number };

const body = JSON.stringify({ reason: "bench" });

/** Posts over some connections for a time, or until there are as many answers; on each connection one after the other. */
export async function load(ports: number[], connections: number, forMs: number, atMost = Number.POSITIVE_INFINITY) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const startedAtMs = performance.now();
  const latenciesMs: number[] = [];
  let failed = 0;
  const sender = async (_: unknown, index: number) => {
    const port = ports[index % ports.length] ?? 0;
    while (performance.now() - startedAtMs < forMs && latenciesMs.length < atMost) {
      const sentAtMs = performance.now();
      const status = await post(port, "/trigger-sync", agent).catch(() => 0);
      if (status === 200) latenciesMs.push(performance.now() - sentAtMs);
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
  agent.destroy();
  const ended: Load = { seconds: (performance.now() - startedAtMs) / 1_000, latenciesMs, failed };
  return ended;
}

/** Posts one request and gives its status; over a connection of its own when no agent is given. */
export function post(port: number, path: string, agent: Agent | false = false): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const outgoing = request({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode ?? 0));
      answer.once("error", reject);
    });
    outgoing.once("error", reject);
    outgoing.setTimeout(60_000, () => outgoing.destroy(new Error("no answer for a minute")));
    outgoing.end(body);
  });
}
