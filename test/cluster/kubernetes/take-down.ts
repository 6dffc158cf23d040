import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { RUN_DIR } from "../machine/paths.ts";
import { say } from "../machine/say.ts";
import { removePodCgroups } from "./cgroups.ts";
import { deleteNetwork, endInit, isInitAlive, PRIVATE_DIRS } from "./namespaces.ts";

/** Ends the cluster and removes everything of it but the caches. Does nothing where there is no cluster. */
export async function takeDown(): Promise<void> {
  if (isInitAlive()) say("ending the cluster's processes");
  await endInit();
  await deleteNetwork();
  await removePodCgroups();
  rmSync(RUN_DIR, { recursive: true, force: true });
  for (const directory of PRIVATE_DIRS) {
    if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
  }
}
