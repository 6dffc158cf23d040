import { load } from "../load.ts";
import type { Program } from "../programs.ts";
import { type Measured, percentile } from "../results.ts";
import { type Running, runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";

/** What grows with the Jobs of the namespace, and with the replicas: triggers, and the list of runs. */
export async function measureGrowth(
  program: Program,
  stage: Stage,
  { jobs, replicas, rounds, forMs }: { jobs: number[]; replicas: number[]; rounds: number; forMs: number },
): Promise<Measured[]> {
  const rows: Measured[] = [];
  const row = (metric: string, unit: string): Measured => {
    const made = { name: program.name, metric, unit, values: [] };
    rows.push(made);
    return made;
  };
  for (const count of jobs) {
    await stage.fill(count);
    const running = await runProgram(program, stage);
    try {
      await load([running.port], 1, 500);
      const trigger = row(`latency p50 at 1 connection, ${count} Jobs`, "ms");
      const list = row(`GET /jobs, ${count} Jobs`, "ms");
      const memory = row(`RSS after GET /jobs, ${count} Jobs`, "MB");
      for (let round = 0; round < rounds; round += 1) {
        trigger.values.push(percentile((await load([running.port], 1, forMs)).latenciesMs, 0.5));
        list.values.push(await timeList(running));
        memory.values.push(running.rssMb());
      }
    } finally {
      await running.stop();
    }
  }
  for (const count of replicas) {
    const measured = row(`Jobs at 16 connections, ${count} replica${count === 1 ? "" : "s"}`, "1/s");
    const running = await Promise.all(Array.from({ length: count }, () => runProgram(program, stage)));
    try {
      const ports = running.map(({ port }) => port);
      await load(ports, 16, 1_000);
      for (let round = 0; round < rounds; round += 1) {
        const { latenciesMs, seconds } = await load(ports, 16, forMs);
        measured.values.push(latenciesMs.length / seconds);
      }
    } finally {
      await Promise.all(running.map((one) => one.stop()));
    }
  }
  return rows;
}

async function timeList({ port }: Running): Promise<number> {
  const startedAtMs = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/jobs?limit=20`, { signal: AbortSignal.timeout(60_000) });
  const { jobs } = (await answer.json()) as { jobs: object[] };
  if (!answer.ok || jobs.length === 0) throw new Error(`GET /jobs was answered ${answer.status}`);
  return performance.now() - startedAtMs;
}
