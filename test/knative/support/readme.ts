import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const readme = join(import.meta.dirname, "../../../README.md");

/** Runs the one command of README that begins so, as an operator would in a shell, for another namespace than kraken. */
export async function runReadmeCommand(beginning: string, namespace: string): Promise<void> {
  // A backslash at a line's end goes on in the next one.
  const lines = readFileSync(readme, "utf8")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const found = lines.filter((line) => line.startsWith(beginning));
  if (found.length !== 1) throw new Error(`README has ${found.length} lines that begin with "${beginning}", not one`);
  const command = (found[0] ?? "").replace("-n kraken", `-n ${namespace}`);
  await promisify(execFile)("sh", ["-c", command], { timeout: 60_000 });
}
