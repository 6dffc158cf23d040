import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { countApiRequests } from "./api-requests.ts";
import { load } from "./load.ts";
import { percentile } from "./results.ts";
import type { Rows } from "./rows.ts";
import { cpuOfProcessMs, type Running, readProc } from "./run-program.ts";

/** How long one program has the machine: for a time, or for so many triggers. */
export type Turn = { connections: number; forMs: number; atMost?: number };

/** After a count, which makes the API server and this process write and read megabytes. */
const settleMs = 200;

/**
 * One turn of a program, of which several processes may run; `at` says in the rows' names what is special about it. Gives
 * the latencies, ms: where turns are short, their 99th percentile is to be taken of all of them together.
 */
export async function measureTurn(
  rows: Rows,
  name: string,
  at: string,
  processes: Running[],
  turn: Turn,
): Promise<number[]> {
  const callsBefore = await countApiRequests();
  await pause(settleMs);
  const before = cpuTimes(processes);
  const ports = processes.map(({ port }) => port);
  const { latenciesMs, seconds, failed } = await load(ports, turn.connections, turn.forMs, turn.atMost);
  const after = cpuTimes(processes);
  const triggers = latenciesMs.length;
  if (failed > 0) throw new Error(`${name}: ${failed} of ${failed + triggers} triggers failed`);
  const calls = (await countApiRequests()) - callsBefore;
  rows.add(name, `Jobs ${at}`, "1/s", triggers / seconds);
  rows.add(name, `latency p50 ${at}`, "ms", percentile(latenciesMs, 0.5));
  rows.add(name, `CPU per trigger ${at}`, "ms", (after.own - before.own) / triggers);
  rows.add(name, `CPU of kube-apiserver and etcd per trigger ${at}`, "ms", (after.server - before.server) / triggers);
  rows.add(name, `CPU of the sender per trigger ${at}`, "ms", (after.sender - before.sender) / triggers);
  rows.add(name, `API requests per trigger ${at}`, "", calls / triggers);
  return latenciesMs;
}

/** CPU times in ms: of the program, of what it shares its cores with, and of this process, which sends the load. */
function cpuTimes(processes: Running[]) {
  const { user, system } = process.cpuUsage();
  const own = processes.reduce((total, running) => total + running.cpuMs(), 0);
  return { own, server: cpuOfServerMs(), sender: (user + system) / 1_000 };
}

/** Of the API server and its store, by the names of their processes. */
function cpuOfServerMs(): number {
  const nameOf = (pid: string) => readProc(`${pid}/comm`).trim();
  const pids = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && /^(kube-apiserver|etcd)$/.test(nameOf(pid)));
  return pids.reduce((total, pid) => total + cpuOfProcessMs(Number(pid)), 0);
}
