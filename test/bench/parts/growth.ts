import { inTurn } from "../in-turn.ts";
import { load } from "../load.ts";
import type { Program } from "../programs.ts";
import { type Measured, percentile } from "../results.ts";
import { createRows, type Rows } from "../rows.ts";
import { type Running, runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";
import { measureTurn } from "../turn.ts";
import { startOnce } from "./start.ts";

/** Triggers of one turn: few, because each adds a Job to those that are there. */
const triggersOfTurn = 80;
const turnMs = 20_000;
const warmUp = { connections: 16, forMs: 20_000, triggers: 1_000 };

type Sizes = { jobs: number[]; replicas: number[]; rounds: number; forMs: number };

/**
 * What grows with the Jobs of the namespace and with the replicas, of each program. Namespaces with so many Jobs each, and
 * so many processes each, take turns, each round in another order: what else the machine does (the Job controller first of
 * all, which looks at every Job that was stored) hits them alike.
 */
export async function measureGrowth(
  programs: Program[],
  openStage: (what: string) => Promise<Stage>,
  { jobs, replicas, rounds, forMs }: Sizes,
): Promise<Measured[]> {
  const rows = createRows();
  await withJobs(rows, programs, openStage, { jobs, rounds });
  await withReplicas(rows, programs, await openStage("replicas"), { replicas, rounds, forMs });
  return rows.all();
}

async function withJobs(
  rows: Rows,
  programs: Program[],
  openStage: (what: string) => Promise<Stage>,
  { jobs, rounds }: Pick<Sizes, "jobs" | "rounds">,
): Promise<void> {
  const places: { program: Program; stage: Stage; running: Running; where: string; latenciesMs: number[] }[] = [];
  try {
    for (const count of jobs) {
      const stage = await openStage(`jobs-${count}`);
      await stage.fill(count);
      for (const program of programs) {
        const running = await runProgram(program, stage);
        places.push({ program, stage, running, where: `, ${count} Jobs`, latenciesMs: [] });
        await load([running.port], 1, turnMs, triggersOfTurn);
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { program, running, where, latenciesMs } of inTurn(places, round)) {
        const turn = { connections: 1, forMs: turnMs, atMost: triggersOfTurn };
        latenciesMs.push(...(await measureTurn(rows, program.name, `at 1 connection${where}`, [running], turn)));
      }
      for (const { program, stage, where } of inTurn(places, round)) await startOnce(rows, program, stage, where);
    }
    for (const { program, where, latenciesMs } of places) {
      rows.add(program.name, `latency p99 at 1 connection${where}`, "ms", percentile(latenciesMs, 0.99));
    }
    // Behind them, so that no list of ten thousand Jobs stands right before another place's triggers.
    const own = places.filter(({ program }) => program.name === "sync-trigger");
    for (let round = 0; round < rounds; round += 1) {
      for (const { program, running, where } of inTurn(own, round)) {
        rows.add(program.name, `GET /jobs${where}`, "ms", await timeList(running));
        rows.add(program.name, `RSS after GET /jobs${where}`, "MB", running.rssMb());
      }
    }
  } finally {
    for (const { running } of places) await running.stop();
  }
}

async function withReplicas(
  rows: Rows,
  programs: Program[],
  stage: Stage,
  { replicas, rounds, forMs }: Omit<Sizes, "jobs">,
): Promise<void> {
  const sets = programs.map(({ name }) => ({ name, running: [] as Running[] }));
  try {
    for (const [index, program] of programs.entries()) {
      for (let count = 0; count < Math.max(...replicas); count += 1) {
        const running = await runProgram(program, stage);
        sets[index]?.running.push(running);
        await load([running.port], warmUp.connections, warmUp.forMs, warmUp.triggers);
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const count of inTurn(replicas, round)) {
        const at = `at 16 connections, ${count} replica${count === 1 ? "" : "s"}`;
        for (const { name, running } of inTurn(sets, round)) {
          const latenciesMs = await measureTurn(rows, name, at, running.slice(0, count), { connections: 16, forMs });
          rows.add(name, `latency p99 ${at}`, "ms", percentile(latenciesMs, 0.99));
        }
      }
    }
  } finally {
    for (const { running } of sets) for (const one of running) await one.stop();
  }
}

async function timeList({ port }: Running): Promise<number> {
  const startedAtMs = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/jobs?limit=20`, { signal: AbortSignal.timeout(60_000) });
  const { jobs } = (await answer.json()) as { jobs: object[] };
  if (!answer.ok || jobs.length === 0) throw new Error(`GET /jobs was answered ${answer.status}`);
  return performance.now() - startedAtMs;
}
