import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countStatuses, findWrongs } from "../own-api-server/check-load.ts";
import { installed, seed, settingsFor } from "../own-api-server/installation.ts";
import { type Attempt, type Load, startLoad } from "../own-api-server/load.ts";
import { type ApiServer, type OwnCluster, startOwnCluster } from "../own-api-server/own-api-server.ts";
import { type Relay, startRelay } from "../own-api-server/relay.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { until } from "../support/until.ts";

/** What is promised of the time after which everything goes well again. */
const recoveryMs = 5_000;

let directory: string;
let cluster: OwnCluster;
let apiServer: ApiServer;
let relay: Relay;
let fn: FunctionProcess;
let load: Load;
const all: Attempt[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-recovery-"));
  cluster = await startOwnCluster();
  apiServer = await cluster.startApiServer();
  await seed(apiServer.api);
  relay = await startRelay(apiServer.port);
  fn = await startFunction(await settingsFor(directory, relay.port, apiServer.kubeconfig));
});

afterEach(() => load?.stop());

afterAll(async () => {
  await fn?.stop();
  await relay?.close();
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Clients that repeat a failed request until it has its Job, going well. */
async function startSteadyLoad(prefix: string): Promise<void> {
  load = startLoad(fn.url, { clients: 16, isRepeated: true, prefix });
  await until("the load to be steady", () => load.attempts.filter(isGood).length >= 100);
}

const isGood = ({ status }: Attempt) => status === 200;

/** Lets the load go on for twice the promised time, then checks what it was told. */
async function expectRecovery(wellAgainAtMs: number, allowed: number[]): Promise<void> {
  await pause(2 * recoveryMs - (performance.now() - wellAgainAtMs));
  await load.stop();
  all.push(...load.attempts);
  const bad = load.attempts.filter((attempt) => !isGood(attempt));
  const lastMs = Math.max(wellAgainAtMs, ...bad.map(({ endedAtMs }) => endedAtMs)) - wellAgainAtMs;
  console.log(`${JSON.stringify(countStatuses(load.attempts))}; the last failure ended ${Math.round(lastMs)} ms after`);
  expect(bad.filter(({ status }) => !allowed.includes(status))).toEqual([]);
  expect(bad.filter(({ endedAtMs }) => endedAtMs > wellAgainAtMs + recoveryMs)).toEqual([]);
  const later = load.attempts.filter(({ sentAtMs }) => sentAtMs > wellAgainAtMs + recoveryMs);
  expect(later.length).toBeGreaterThan(100);
  expect(await findWrongs(apiServer.api, installed, all)).toEqual([]);
}

test.each([
  ["crashes", "SIGKILL"],
  ["ends gracefully", "SIGTERM"],
] as const)(
  "all is well again 5 s after an API server that %s is back, and no answer was wrong",
  async (how, signal) => {
    await startSteadyLoad(how);
    await apiServer.stop(signal);
    const down = load.attempts.length;
    await until("requests to meet no API server", () => load.attempts.length > down + 20);
    await apiServer.start();
    await expectRecovery(performance.now(), [503, 504]);
    expect(
      load.attempts.filter((attempt) => !isGood(attempt)).length,
      "an outage that nobody sees proves nothing",
    ).toBeGreaterThan(0);
  },
);

test("all is well again 5 s after an API server that hung goes on", async () => {
  await startSteadyLoad("hang");
  process.kill(apiServer.pid(), "SIGSTOP");
  await until("triggers to fail", () => load.attempts.some((attempt) => !isGood(attempt)));
  process.kill(apiServer.pid(), "SIGCONT");
  await expectRecovery(performance.now(), [503, 504]);
});

test("with connections to the API server reset again and again no answer is wrong, and no Job is doubled", async () => {
  await startSteadyLoad("reset");
  for (let count = 1; count <= 50; count += 1) {
    relay.resetAll();
    const seen = load.attempts.length;
    await until("some requests to end", () => load.attempts.length >= seen + 10);
  }
  expect(relay.opened()).toBeGreaterThan(50);
  await expectRecovery(performance.now(), [503, 504]);
});
