import { setTimeout as pause } from "node:timers/promises";
import { inTurn } from "../in-turn.ts";
import { post } from "../load.ts";
import type { Program } from "../programs.ts";
import type { Measured } from "../results.ts";
import { createRows, type Rows } from "../rows.ts";
import { runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";

/** After its first Job a program has this long to give back what it needed for the start. */
const idleMs = 500;

/** Cold starts, program after program in each round: exec to a port that takes connections, and to the first Job. */
export async function measureStart(programs: Program[], stage: Stage, rounds: number): Promise<Measured[]> {
  const rows = createRows();
  for (const program of programs) await startOnce(createRows(), program, stage); // reads files into the page cache
  for (let round = 0; round < rounds; round += 1) {
    for (const program of inTurn(programs, round)) await startOnce(rows, program, stage);
  }
  return rows.all();
}

/** One cold start; `where` says in the rows' names what is special about it. */
export async function startOnce(rows: Rows, program: Program, stage: Stage, where = ""): Promise<void> {
  const running = await runProgram(program, stage);
  try {
    const status = await post(running.port, "/trigger-sync");
    const firstJobMs = running.sinceExecMs();
    if (status !== 200) throw new Error(`${program.name} answered its first trigger ${status}`);
    rows.add(program.name, `exec to ready${where}`, "ms", running.readyMs);
    rows.add(program.name, `exec to first Job${where}`, "ms", firstJobMs);
    rows.add(program.name, `CPU until first Job${where}`, "ms", running.cpuMs());
    await pause(idleMs);
    rows.add(program.name, `RSS when idle${where}`, "MB", running.rssMb());
  } finally {
    await running.stop();
  }
}
