import { readdirSync, readFileSync } from "node:fs";
import { inTurn } from "../in-turn.ts";
import { load, post } from "../load.ts";
import type { Program } from "../programs.ts";
import { type Measured, percentile } from "../results.ts";
import { cpuOfProcessMs, type Running, runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";

/** Enough for V8 and CPython to have compiled what they will. */
const warmUpTriggers = 1_000;
const warmUpMs = 20_000;

/**
 * Triggers over 1, 16 and 128 connections: throughput, latency, CPU, memory and requests to the API server. All programs
 * run all the time and take short turns, each round in another order, so that what else the machine does hits them alike.
 */
export async function measureThroughput(
  programs: Program[],
  stage: Stage,
  { rounds, forMs, connections }: { rounds: number; forMs: number; connections: number[] },
): Promise<Measured[]> {
  const rows = new Map<string, Measured>();
  const add = (name: string, metric: string, unit: string, value: number) => {
    const row = rows.get(metric + name) ?? { name, metric, unit, values: [] };
    row.values.push(value);
    rows.set(metric + name, row);
  };
  const running: { name: string; process: Running }[] = [];
  try {
    for (const program of programs) {
      const process = await runProgram(program, stage);
      running.push({ name: program.name, process });
      if ((await post(process.port, "/trigger-sync")) !== 200) throw new Error(`${program.name} does not trigger`);
      add(program.name, "RSS when idle", "MB", process.rssMb());
    }
    for (const { process } of running) await load([process.port], 16, warmUpMs, warmUpTriggers);
    for (const count of connections) {
      for (let round = 0; round < rounds; round += 1) {
        for (const { name, process } of inTurn(running, round)) {
          const at = `at ${count} connection${count === 1 ? "" : "s"}`;
          const callsBefore = await countApiRequests(name, process.port);
          const cpuBeforeMs = process.cpuWithEndedMs();
          const serverBeforeMs = cpuOfServerMs();
          const senderBeforeMs = cpuOfSenderMs();
          const { latenciesMs, seconds, failed } = await load([process.port], count, forMs);
          const cpuMs = process.cpuWithEndedMs() - cpuBeforeMs;
          if (failed > 0) throw new Error(`${name}: ${failed} of ${failed + latenciesMs.length} triggers failed`);
          add(name, `Jobs ${at}`, "1/s", latenciesMs.length / seconds);
          add(name, `latency p50 ${at}`, "ms", percentile(latenciesMs, 0.5));
          add(name, `latency p99 ${at}`, "ms", percentile(latenciesMs, 0.99));
          add(name, `CPU per trigger ${at}`, "ms", cpuMs / latenciesMs.length);
          const ofServer = `CPU of kube-apiserver and etcd per trigger ${at}`;
          add(name, ofServer, "ms", (cpuOfServerMs() - serverBeforeMs) / latenciesMs.length);
          add(
            name,
            `CPU of the sender per trigger ${at}`,
            "ms",
            (cpuOfSenderMs() - senderBeforeMs) / latenciesMs.length,
          );
          const calls = (await countApiRequests(name, process.port)) - callsBefore;
          if (!Number.isNaN(calls)) add(name, `API requests per trigger ${at}`, "", calls / latenciesMs.length);
        }
      }
    }
    for (const { name, process } of running) add(name, "RSS under load", "MB", process.rssMb());
  } finally {
    for (const { process } of running) await process.stop();
  }
  return [...rows.values()];
}

/** What the programs share their cores with: the API server and its store, by the names of their processes. */
function cpuOfServerMs(): number {
  const nameOf = (pid: string) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  const pids = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && /^(kube-apiserver|etcd)$/.test(nameOf(pid)));
  return pids.reduce((total, pid) => total + cpuOfProcessMs(Number(pid)), 0);
}

/** This process, which sends the load. */
function cpuOfSenderMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** As the program counts them; the peers read and create once for each trigger, by their source. */
async function countApiRequests(name: string, port: number): Promise<number> {
  if (name !== "sync-trigger") return Number.NaN;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = [...text.matchAll(/^sync_trigger_api_requests_total\{.*\} (\d+)$/gm)];
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}
