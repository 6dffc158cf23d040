import { readdir, readFile, readlink } from "node:fs/promises";

/** What a process holds at a moment. */
export type Reading = { atS: number; rssMb: number; sockets: number };

/** Reads it from /proc. */
export async function readGauge(pid: number, atS: number): Promise<Reading> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const rssMb = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024);
  const names = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
  return { atS: Math.round(atS), rssMb, sockets: links.filter((link) => link.startsWith("socket:")).length };
}

/** The median of what a part of the readings says; parts are quarters, from 0. */
export function quarterMedian(readings: readonly Reading[], quarter: number, what: "rssMb" | "sockets"): number {
  const from = Math.floor((readings.length * quarter) / 4);
  const part = readings.slice(from, Math.floor((readings.length * (quarter + 1)) / 4));
  const values = part.map((reading) => reading[what]).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
