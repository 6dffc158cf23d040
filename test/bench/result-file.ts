import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "./results.ts";

const directory = join(import.meta.dirname, "results");

/** A result file as it is committed; `parts` has what measured each part: the command, the commit, when it had ended. */
export type ResultFile = {
  date: string;
  machine: { cores: number; cpu: string | undefined; memoryGb: number; node: string; kernel: string };
  parts: Record<string, { command: string; commit: string; at: string }>;
  results: (Result & { part: string })[];
};

/** A file's path from the project's root. */
export function resultPath(date: string): string {
  return `test/bench/results/${date}.json`;
}

/** The newest committed results. */
export function readNewestResults(): { path: string; file: ResultFile } {
  const name = readdirSync(directory).sort().at(-1) ?? "";
  return {
    path: resultPath(name.replace(/\.json$/, "")),
    file: JSON.parse(readFileSync(join(directory, name), "utf8")),
  };
}
