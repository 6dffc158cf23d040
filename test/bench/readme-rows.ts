import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "./results.ts";

const directory = join(import.meta.dirname, "results");

/** A result file as it is committed; `parts` has the command that measured each part. */
export type ResultFile = {
  date: string;
  machine: { cores: number; node: string };
  parts: Record<string, { command: string }>;
  results: (Result & { part: string })[];
};

/** The newest committed results, and where they are from the project's root. */
export function readNewestResults(): { path: string; file: ResultFile } {
  const name = readdirSync(directory).sort().at(-1) ?? "";
  return { path: `test/bench/results/${name}`, file: JSON.parse(readFileSync(join(directory, name), "utf8")) };
}

/** What README shows of them: a line for each metric, with the ratios of our median to the peers'. */
export const readmeMetrics = [
  "exec to ready",
  "exec to first Job",
  "CPU until first Job",
  "RSS when idle",
  "RSS under load",
  "Jobs at 1 connection",
  "Jobs at 16 connections",
  "Jobs at 128 connections",
  "latency p50 at 16 connections",
  "latency p99 at 16 connections",
  "CPU per trigger at 16 connections",
  "API requests per trigger at 16 connections",
];

/** The cells of README's table, as the results have them. */
export function toReadmeRows({ results }: ResultFile): string[][] {
  return readmeMetrics.map((metric) => {
    const of = (name: string) => results.find((row) => row.name === name && row.metric === metric);
    const show = (row: Result | undefined) => (row ? `${row.median} ${row.unit}`.trim() : "");
    const own = of("sync-trigger");
    const ratio = (value: number | null | undefined) => (typeof value === "number" ? value.toFixed(2) : "");
    const peers = [show(of("floor")), show(of("fastapi"))];
    return [metric, show(own), ...peers, ratio(own?.ratioToFloor), ratio(own?.ratioToFastapi)];
  });
}
