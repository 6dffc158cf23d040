import { inTurn } from "../in-turn.ts";
import { load } from "../load.ts";
import type { Program } from "../programs.ts";
import { type Measured, percentile } from "../results.ts";
import { type Running, runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";

/** Triggers of one turn: few, because each adds a Job to those that are there. */
const triggersOfTurn = 100;
const turnMs = 20_000;

/**
 * What grows with the Jobs of the namespace, and with the replicas: triggers, and the list of runs. Namespaces with so many
 * Jobs each, and so many processes each, take turns, each round in another order: what else the machine does (the Job
 * controller first of all, which looks at every Job that was stored) hits them alike.
 */
export async function measureGrowth(
  program: Program,
  openStage: (what: string) => Promise<Stage>,
  { jobs, replicas, rounds, forMs }: { jobs: number[]; replicas: number[]; rounds: number; forMs: number },
): Promise<Measured[]> {
  return [
    ...(await withJobs(program, openStage, jobs, rounds)),
    ...(await withReplicas(program, openStage, { replicas, rounds, forMs })),
  ];
}

async function withJobs(
  program: Program,
  openStage: (what: string) => Promise<Stage>,
  jobs: number[],
  rounds: number,
): Promise<Measured[]> {
  const places = [];
  try {
    for (const count of jobs) {
      const stage = await openStage(`jobs-${count}`);
      await stage.fill(count);
      const running = await runProgram(program, stage);
      places.push({ running, ...rowsOf(program.name, count) });
      await load([running.port], 1, turnMs, triggersOfTurn);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { running, trigger } of inTurn(places, round)) {
        trigger.values.push(percentile((await load([running.port], 1, turnMs, triggersOfTurn)).latenciesMs, 0.5));
      }
    }
    // Behind them, so that no list of ten thousand Jobs stands right before another place's triggers.
    for (let round = 0; round < rounds; round += 1) {
      for (const { running, list, memory } of inTurn(places, round)) {
        list.values.push(await timeList(running));
        memory.values.push(running.rssMb());
      }
    }
    return places.flatMap(({ trigger, list, memory }) => [trigger, list, memory]);
  } finally {
    for (const { running } of places) await running.stop();
  }
}

function rowsOf(name: string, count: number) {
  const row = (metric: string, unit: string): Measured => ({
    name,
    metric: `${metric}, ${count} Jobs`,
    unit,
    values: [],
  });
  return {
    trigger: row("latency p50 at 1 connection", "ms"),
    list: row("GET /jobs", "ms"),
    memory: row("RSS after GET /jobs", "MB"),
  };
}

async function withReplicas(
  program: Program,
  openStage: (what: string) => Promise<Stage>,
  { replicas, rounds, forMs }: { replicas: number[]; rounds: number; forMs: number },
): Promise<Measured[]> {
  const stage = await openStage("replicas");
  const all: Running[] = [];
  try {
    for (let count = 0; count < Math.max(...replicas); count += 1) all.push(await runProgram(program, stage));
    const rows = replicas.map((count) => ({
      ports: all.slice(0, count).map(({ port }) => port),
      row: {
        name: program.name,
        metric: `Jobs at 16 connections, ${count} replica${count === 1 ? "" : "s"}`,
        unit: "1/s",
        values: [] as number[],
      },
    }));
    await load(
      all.map(({ port }) => port),
      16,
      4_000,
    );
    for (let round = 0; round < rounds; round += 1) {
      for (const { ports, row } of inTurn(rows, round)) {
        const { latenciesMs, seconds } = await load(ports, 16, forMs);
        row.values.push(latenciesMs.length / seconds);
      }
    }
    return rows.map(({ row }) => row);
  } finally {
    for (const running of all) await running.stop();
  }
}

async function timeList({ port }: Running): Promise<number> {
  const startedAtMs = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/jobs?limit=20`, { signal: AbortSignal.timeout(60_000) });
  const { jobs } = (await answer.json()) as { jobs: object[] };
  if (!answer.ok || jobs.length === 0) throw new Error(`GET /jobs was answered ${answer.status}`);
  return performance.now() - startedAtMs;
}
