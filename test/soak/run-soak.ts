import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { installed, seed, settingsFor } from "../own-api-server/installation.ts";
import { type ApiServer, type OwnCluster, startOwnCluster } from "../own-api-server/own-api-server.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { smallHeap } from "../support/small-heap.ts";
import { type Reading, readGauge } from "./gauge.ts";
import { type Kind, kinds, mixed, type Place } from "./traffic.ts";

export type SoakOptions = {
  minutes: number;
  /** How often the API server is ended, by turns as a crash and gracefully, and started again. */
  restarts: number;
  onReading?: (reading: Reading, requests: number) => void;
};

/** What a soak came to. */
export type SoakReport = {
  /** How many requests of each kind had each answer: `KIND: STATUS`. */
  counts: Record<string, number>;
  requests: number;
  /** Answers that were not right, some of them in words. */
  wrong: { count: number; examples: string[] };
  /** 503 and 504 while the API server was there: on a busy machine it can be too slow for us. */
  slow: number;
  readings: Reading[];
  /** Sockets before any traffic, and when all of it was over. */
  sockets: { before: number; after: number };
  exitCode: number | null;
};

const clients = 8;
const pauseMs = 20;
const readEveryMs = 2_000;
const removeEveryMs = 5_000;
const outageMs = 5_000;
/** After an API server is back everything must go well again this soon. */
const recoveryMs = 5_000;
const receiveTimeoutMs = 2_000;
/** Our own connections to the API server are kept for a minute, callers' for five seconds. */
const quietMs = 90_000;
const token = "token-of-the-soak-test";

/** Sends mixed traffic to a function process while its API server comes and goes. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-soak-"));
  const cluster: OwnCluster = await startOwnCluster();
  let fn: FunctionProcess | undefined;
  try {
    const apiServer = await cluster.startApiServer();
    await seed(apiServer.api);
    fn = await startFunction({
      ...(await settingsFor(directory, apiServer.port, apiServer.kubeconfig)),
      ...(await writeToken(directory)),
      RECEIVE_TIMEOUT_MS: String(receiveTimeoutMs),
      KEEP_ALIVE_TIMEOUT_MS: "5000",
      ...smallHeap,
    });
    return await soak(fn, apiServer, options);
  } finally {
    await fn?.stop();
    await cluster.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeToken(directory: string): Promise<Record<string, string>> {
  const tokens = join(directory, "tokens");
  await mkdir(tokens);
  await writeFile(join(tokens, "soak"), token);
  const subjects = { AUTH_TRIGGER_SUBJECTS: "token:soak", AUTH_READ_SUBJECTS: "token:soak" };
  return { AUTH_MODE: "token", AUTH_TOKEN_DIRECTORY: tokens, ...subjects };
}

async function soak(fn: FunctionProcess, apiServer: ApiServer, options: SoakOptions): Promise<SoakReport> {
  const agent = new Agent({ keepAlive: true });
  const place: Place = { url: fn.url, agent, token, receiveTimeoutMs };
  const endsAtMs = performance.now() + options.minutes * 60_000;
  const isOver = () => performance.now() >= endsAtMs;
  const startedAtMs = performance.now();
  const report: SoakReport = {
    ...{ counts: {}, requests: 0, slow: 0, wrong: { count: 0, examples: [] }, readings: [] },
    ...{ sockets: { before: (await readGauge(fn.pid, 0)).sockets, after: 0 }, exitCode: null },
  };
  let badUntilMs = 0; // performance.now until which the API server's absence explains a 503 or 504

  async function send(kind: Kind): Promise<void> {
    report.requests += 1;
    const sentAtMs = performance.now();
    const status = await kind
      .send(place, report.requests)
      .catch((error: NodeJS.ErrnoException) => error.code ?? error.name);
    const entry = `${kind.name}: ${status}`;
    report.counts[entry] = (report.counts[entry] ?? 0) + 1;
    if (kind.expected.includes(Number(status))) return;
    if (kind.needsApiServer && (status === 503 || status === 504)) {
      if (sentAtMs > badUntilMs) report.slow += 1;
      return;
    }
    report.wrong.count += 1;
    if (report.wrong.examples.length < 20) {
      report.wrong.examples.push(`${entry}, ${Math.round((sentAtMs - startedAtMs) / 1_000)} s after the start`);
    }
  }

  async function sendUntilOver(): Promise<void> {
    while (!isOver()) {
      const kind = mixed[Math.floor(Math.random() * mixed.length)];
      if (kind) await send(kind);
      await pause(pauseMs);
    }
  }

  async function restartApiServer(): Promise<void> {
    for (let count = 0; count < options.restarts; count += 1) {
      await pause((options.minutes * 60_000) / (options.restarts + 1) - outageMs);
      badUntilMs = Number.POSITIVE_INFINITY;
      await apiServer.stop(count % 2 === 0 ? "SIGKILL" : "SIGTERM");
      await pause(outageMs);
      await apiServer.start();
      badUntilMs = performance.now() + recoveryMs;
    }
  }

  /** History limits would do it, if there were a controller. */
  async function removeJobs(): Promise<void> {
    const jobs = `/apis/batch/v1/namespaces/${installed.namespace}/jobs?propagationPolicy=Background`;
    while (!isOver()) {
      await pause(removeEveryMs);
      await apiServer.api.call("DELETE", jobs).catch(() => undefined); // the API server may be away
    }
  }

  async function read(): Promise<void> {
    while (!isOver()) {
      await pause(readEveryMs);
      const reading = await readGauge(fn.pid, (performance.now() - startedAtMs) / 1_000);
      report.readings.push(reading);
      options.onReading?.(reading, report.requests);
    }
  }

  const traffic = Array.from({ length: clients }, sendUntilOver);
  await Promise.all([...traffic, restartApiServer(), removeJobs(), read()]);
  // All is well: each kind once more.
  for (const kind of kinds) await send(kind);
  agent.destroy();
  report.sockets.after = await untilQuiet(fn.pid, report.sockets.before);
  report.exitCode = await fn.stop();
  return report;
}

/** Waits until no more sockets are open than before there was traffic, and gives how many are. */
async function untilQuiet(pid: number, before: number): Promise<number> {
  const endsAtMs = performance.now() + quietMs;
  for (;;) {
    const { sockets } = await readGauge(pid, 0);
    if (sockets <= before || performance.now() > endsAtMs) return sockets;
    await pause(500);
  }
}
