import { post } from "../load.ts";
import type { Program } from "../programs.ts";
import type { Measured } from "../results.ts";
import { runProgram } from "../run-program.ts";
import type { Stage } from "../stage.ts";

/** Cold starts, program after program in each round: exec to a port that takes connections, and to the first Job. */
export async function measureStart(programs: Program[], stage: Stage, rounds: number): Promise<Measured[]> {
  const rows = new Map<string, Measured>();
  const add = (name: string, metric: string, unit: string, value: number) => {
    const row = rows.get(metric + name) ?? { name, metric, unit, values: [] };
    row.values.push(value);
    rows.set(metric + name, row);
  };
  for (let round = 0; round <= rounds; round += 1) {
    for (const program of programs) {
      const running = await runProgram(program, stage);
      try {
        const status = await post(running.port, "/trigger-sync");
        const firstJobMs = running.sinceExecMs();
        if (status !== 200) throw new Error(`${program.name} answered its first trigger ${status}`);
        if (round === 0) continue; // reads files into the page cache
        add(program.name, "exec to ready", "ms", running.readyMs);
        add(program.name, "exec to first Job", "ms", firstJobMs);
        add(program.name, "CPU until first Job", "ms", running.cpuMs());
        add(program.name, "RSS after first Job", "MB", running.rssMb());
      } finally {
        await running.stop();
      }
    }
  }
  return [...rows.values()];
}
