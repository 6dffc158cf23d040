import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, Script } from "node:vm";

/** The bundle in a directory, compiled; `cache` says whether V8 took the code that lies beside it. */
export type Program = { script: Script; path: string; cachePath: string; cache: "used" | "rejected" | "missing" };

/** Compiles the bundle of a directory, from its code cache where this V8 takes it. */
export function compileProgram(directory: string): Program {
  const path = join(directory, "sync-trigger.cjs");
  const cachePath = join(directory, "sync-trigger.cache");
  const cachedData = readIfThere(cachePath);
  const script = new Script(readFileSync(path, "utf8"), {
    filename: path,
    ...(cachedData ? { cachedData } : {}),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const cache = !cachedData ? "missing" : script.cachedDataRejected ? "rejected" : "used";
  return { script, path, cachePath, cache };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
