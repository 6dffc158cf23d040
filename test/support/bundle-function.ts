import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, cacheCode } from "../../build.ts";

/**
 * Vitest's global set-up of the suites that start the function as a process: they start what ships. It is up in a
 * seventh of the CPU time that the sources take, and there are hundreds of processes. Gives the tear-down.
 */
export default async function bundleFunction(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-bundle-"));
  await bundle(directory);
  cacheCode(directory);
  process.env.TEST_FUNCTION_ENTRY = join(directory, "main.cjs");
  return () => rm(directory, { recursive: true });
}
