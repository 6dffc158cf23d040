import { load, post } from "../load.ts";
import type { Program } from "../programs.ts";
import { type Measured, percentile } from "../results.ts";
import { runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";

const warmUpMs = 1_500;

/** Triggers over 1, 16 and 128 connections: throughput, latency, CPU, memory and requests to the API server. */
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
  for (let round = 0; round < rounds; round += 1) {
    for (const program of programs) {
      const running = await runProgram(program, stage);
      const { name } = program;
      try {
        if ((await post(running.port, "/trigger-sync")) !== 200) throw new Error(`${name} does not trigger`);
        add(name, "RSS when idle", "MB", running.rssMb());
        await load([running.port], 16, warmUpMs);
        for (const count of connections) {
          const callsBefore = await countApiRequests(name, running.port);
          const cpuBeforeMs = running.cpuMs();
          const { latenciesMs, seconds, failed } = await load([running.port], count, forMs);
          const cpuMs = running.cpuMs() - cpuBeforeMs;
          if (failed > 0) throw new Error(`${name}: ${failed} of ${failed + latenciesMs.length} triggers failed`);
          const at = `at ${count} connection${count === 1 ? "" : "s"}`;
          add(name, `Jobs ${at}`, "1/s", latenciesMs.length / seconds);
          add(name, `latency p50 ${at}`, "ms", percentile(latenciesMs, 0.5));
          add(name, `latency p99 ${at}`, "ms", percentile(latenciesMs, 0.99));
          add(name, `CPU per trigger ${at}`, "ms", cpuMs / latenciesMs.length);
          const calls = (await countApiRequests(name, running.port)) - callsBefore;
          if (!Number.isNaN(calls)) add(name, `API requests per trigger ${at}`, "", calls / latenciesMs.length);
        }
        add(name, "RSS under load", "MB", running.rssMb());
      } finally {
        await running.stop();
      }
    }
  }
  return [...rows.values()];
}

/** As the program counts them; the peers read and create once for each trigger, by their source. */
async function countApiRequests(name: string, port: number): Promise<number> {
  if (name !== "sync-trigger") return Number.NaN;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = [...text.matchAll(/^sync_trigger_api_requests_total\{.*\} (\d+)$/gm)];
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}
