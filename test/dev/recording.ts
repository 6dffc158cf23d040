import { readFile, writeFile } from "node:fs/promises";
import type { Played } from "./calls.ts";

// What the real cluster answered, one answer a line, so that level 1 compares with it too. Made anew by
// RECORD_ANSWERS=1 npm run test:cluster -- same-as-real
const fileOf = (name: string) => new URL(`./payloads/real-${name}.ndjson`, import.meta.url);

/** Which of the two scripts. */
export type Script = "calls" | "runs";

/** The normalised answers of the real cluster at the time of the last recording. */
export async function readRecording(name: Script): Promise<Played[]> {
  const text = await readFile(fileOf(name), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Played);
}

/** Replaces the recording; of what the embedded cluster does not model, the body is of no use. */
export async function writeRecording(name: Script, played: readonly Played[]): Promise<void> {
  const lines = played.map((each) =>
    JSON.stringify(each.name.startsWith("unmodelled: ") ? { ...each, body: "" } : each),
  );
  await writeFile(fileOf(name), `${lines.join("\n")}\n`);
}
