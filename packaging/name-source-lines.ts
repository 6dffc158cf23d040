import { readFileSync } from "node:fs";
import type { SourceMap } from "node:module";

/**
 * Makes stack traces of the bundle name lines of its sources. The source map beside it is read when the first stack is
 * asked for; where there is none, stacks stay as they are.
 */
export function nameSourceLines(program: string): void {
  let map: SourceMap | undefined;
  const isThere = () => {
    map ??= readMap(`${program}.map`);
    return map;
  };
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.map((frame) => `    at ${toSourceLine(frame, program, isThere)}`);
    return [describe(error), ...lines].join("\n");
  };
}

function toSourceLine(frame: NodeJS.CallSite, program: string, getMap: () => SourceMap | undefined): string {
  const text = String(frame);
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
  if (frame.getFileName() !== program || !line || !column) return text;
  const origin = getMap()?.findEntry(line - 1, column - 1);
  if (!origin || !("originalSource" in origin)) return text;
  const { originalSource, originalLine, originalColumn } = origin;
  return text.replace(`${program}:${line}:${column}`, `${originalSource}:${originalLine + 1}:${originalColumn + 1}`);
}

function readMap(path: string): SourceMap | undefined {
  try {
    const module = process.getBuiltinModule("node:module"); // not at start, which it would hold up
    return new module.SourceMap(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** An error as the first line of its stack; one that cannot be made a text must not end the process. */
function describe(error: Error): string {
  try {
    return String(error);
  } catch {
    return "Error";
  }
}
