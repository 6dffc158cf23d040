import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { countStatuses, findWrongs } from "../own-api-server/check-load.ts";
import { installed, seed, settingsFor } from "../own-api-server/installation.ts";
import { type Attempt, startLoad } from "../own-api-server/load.ts";
import { type ApiServer, type OwnCluster, startOwnCluster } from "../own-api-server/own-api-server.ts";
import { startFunction } from "../support/function-process.ts";
import { until } from "../support/until.ts";

let directory: string;
let cluster: OwnCluster;
let apiServer: ApiServer;
let settings: Record<string, string>;
const all: Attempt[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-drain-"));
  cluster = await startOwnCluster();
  apiServer = await cluster.startApiServer();
  await seed(apiServer.api);
  settings = await settingsFor(directory, apiServer.port, apiServer.kubeconfig);
});

afterAll(async () => {
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});

/** What README promises: whatever the API server does. */
const endsWithinMs = 20_000;

test.each([
  ["answers", false],
  ["hangs from then on", true],
])(
  "on SIGTERM under load every accepted request is answered, and the exit code is 0: the API server %s",
  async (what, hangs) => {
    const fn = await startFunction(settings);
    const load = startLoad(fn.url, { clients: 32, isRepeated: false, prefix: what });
    await until("the load to be steady", () => load.attempts.filter(({ status }) => status === 200).length >= 200);
    if (hangs) process.kill(apiServer.pid(), "SIGSTOP");
    // Some are on their way to the API server when the signal comes.
    if (hangs) await until("triggers to wait for the API server", async () => (await inFlight(fn.url)) > 10);
    const signalledAtMs = performance.now();
    fn.signal("SIGTERM");
    const code = await Promise.race([fn.exited, after(endsWithinMs)]);
    if (hangs) process.kill(apiServer.pid(), "SIGCONT");
    await load.stop();

    expect(code).toBe(0);
    expect(fn.log.find(({ msg }) => msg === "stopped")?.answeredAll).toBe(true);
    const before = load.attempts.filter(({ sentAtMs }) => sentAtMs < signalledAtMs);
    const cut = before.filter(({ status, endedAtMs }) => status === 0 && endedAtMs > signalledAtMs);
    const underWay = before.filter(({ endedAtMs }) => endedAtMs > signalledAtMs);
    console.log(
      `under way: ${JSON.stringify(countStatuses(underWay))}; all: ${JSON.stringify(countStatuses(load.attempts))}`,
    );
    expect(underWay.length).toBeGreaterThan(0);
    expect(cut).toEqual([]);
    // Who came later was told so, or found nobody listening; nobody's request was begun and then dropped.
    const taken = new Set(fn.log.filter(({ msg }) => msg === "request").map(({ id }) => id));
    expect(load.attempts.filter(({ id, status }) => status === 0 && taken.has(id))).toEqual([]);
    const allowed = hangs ? [0, 200, 503, 504] : [0, 200, 503];
    expect(load.attempts.filter(({ status }) => !allowed.includes(status))).toEqual([]);
    all.push(...load.attempts);
    expect(await findWrongs(apiServer.api, installed, all)).toEqual([]);
  },
);

async function inFlight(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^sync_trigger_requests_in_flight (\d+)$/m.exec(text)?.[1]);
}

async function after(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  return `still running after ${ms} ms`;
}
