import { inTurn } from "../in-turn.ts";
import { load, post } from "../load.ts";
import type { Program } from "../programs.ts";
import { type Measured, percentile } from "../results.ts";
import { createRows } from "../rows.ts";
import { type Running, runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";
import { measureTurn } from "../turn.ts";

/** Enough for V8 and CPython to have compiled what they will. */
const warmUpTriggers = 3_000;
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
  const rows = createRows();
  const running: { name: string; process: Running }[] = [];
  try {
    for (const program of programs) {
      const process = await runProgram(program, stage);
      running.push({ name: program.name, process });
      if ((await post(process.port, "/trigger-sync")) !== 200) throw new Error(`${program.name} does not trigger`);
    }
    for (const { process } of running) await load([process.port], 16, warmUpMs, warmUpTriggers);
    for (let round = 0; round < rounds; round += 1) {
      for (const count of inTurn(connections, round)) {
        const at = `at ${count} connection${count === 1 ? "" : "s"}`;
        for (const { name, process } of inTurn(running, round)) {
          const latenciesMs = await measureTurn(rows, name, at, [process], { connections: count, forMs });
          rows.add(name, `latency p99 ${at}`, "ms", percentile(latenciesMs, 0.99));
        }
      }
      for (const { name, process } of running) rows.add(name, "RSS under load", "MB", process.rssMb());
    }
  } finally {
    for (const { process } of running) await process.stop();
  }
  return rows.all();
}
