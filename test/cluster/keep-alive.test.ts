import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type DelayRelay, startDelayRelay } from "../hostile/support/delay-relay.ts";
import { startVictim, type Victim } from "../hostile/support/victim.ts";
import { buildPrograms } from "./machine/go-binaries.ts";

// Under Knative every request comes through queue-proxy, which keeps idle connections for 90 s. A connection that we
// close at the moment when it sends a POST is a 502 that nobody repeats. Everything is shortened to a 20th;
// npm run test:keep-alive runs it at full length (17 minutes).
const shortened = Number(process.env.KEEP_ALIVE_SHORTENED ?? 20);
const postCount = Number(process.env.KEEP_ALIVE_POSTS ?? 1_000);
const scaled = (seconds: number) => Math.round((seconds * 1_000) / shortened);

/** Pauses between rounds, seconds at full length: around the 15 s for headers, queue-proxy's 90 s and our 95 s. */
const pausesS = [14.5, 15.5, 85, 88, 89.5, 90.5, 92, 94.5, 95.5, 97];
const proxyIdleS = 90;
const timeoutMs = scaled(pausesS.reduce((sum, pauseS) => sum + pauseS, 0)) + 150_000;

let program: string;
let victim: Victim | undefined;
let proxy: ChildProcess | undefined;
let relay: DelayRelay | undefined;
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  program = join(await buildPrograms({ name: "queue-proxy", programs: { "queue-proxy": "." } }), "queue-proxy");
});
afterEach(async () => {
  proxy?.kill();
  await relay?.close();
  await victim?.stop();
});
afterAll(() => agent.destroy());

async function startProxy(target: string): Promise<string> {
  proxy = spawn(program, ["-target", target, "-idle", `${scaled(proxyIdleS)}ms`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (!proxy.stdout) throw new Error("the proxy has no output");
  const [port] = await once(createInterface({ input: proxy.stdout }), "line");
  return `http://127.0.0.1:${port}`;
}

/** One POST without a key, which Go's transport never repeats. */
function post(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/trigger-sync`, { method: "POST", agent }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    outgoing.on("error", reject).end();
  });
}

/** Sends rounds of POSTs, all of a round at once, so that each has a connection of its own; counts the statuses. */
async function sendRounds(url: string, pausesMs: readonly number[], perRound: number): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  const sendRound = async () => {
    for (const status of await Promise.all(Array.from({ length: perRound }, () => post(url)))) {
      counts[status] = (counts[status] ?? 0) + 1;
    }
  };
  await sendRound();
  for (const pauseMs of pausesMs) {
    await pause(pauseMs);
    await sendRound();
  }
  return counts;
}

test(`no POST of ${postCount} around the limits is lost between queue-proxy's transport and us`, {
  timeout: timeoutMs,
}, async () => {
  victim = await startVictim({
    KEEP_ALIVE_TIMEOUT_MS: String(scaled(95)),
    RECEIVE_TIMEOUT_MS: String(scaled(30)),
    // A round at full length is more than the shipped MAX_IN_FLIGHT lets into a pod, and needs a heap for it.
    ...{ MAX_IN_FLIGHT: "10000", NODE_OPTIONS: "" },
  });
  const url = await startProxy(victim.url);
  const perRound = Math.ceil(postCount / (pausesS.length + 1));
  const counts = await sendRounds(url, pausesS.map(scaled), perRound);
  console.log(`answers by status: ${JSON.stringify(counts)}`);
  expect(counts).toEqual({ 200: perRound * (pausesS.length + 1) });
});

test("a keep-alive shorter than queue-proxy's is seen to lose some, so that the test above can fail", async () => {
  const keepAliveMs = 1_000;
  const delayMs = 60;
  victim = await startVictim({ KEEP_ALIVE_TIMEOUT_MS: String(keepAliveMs) });
  // A network with a delay, so that closing and sending meet more often than within one machine.
  relay = await startDelayRelay(victim.url, delayMs);
  const url = await startProxy(relay.url);
  const pausesMs = [-90, -70, -50, -30, -10].map((beforeMs) => keepAliveMs + beforeMs - delayMs);
  const counts = await sendRounds(url, pausesMs, 50);
  expect(counts[502]).toBeGreaterThan(0);
});
