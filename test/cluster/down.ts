// Takes the tests' cluster down and checks that nothing of it is left; the caches stay.
import { findLeftovers, namespaceInode } from "./kubernetes/leftovers.ts";
import { takeDown } from "./kubernetes/take-down.ts";
import { runProgram } from "./machine/command.ts";
import { withLock } from "./machine/lock.ts";
import { LOCK_FILE } from "./machine/paths.ts";

await runProgram(async () => {
  const inode = namespaceInode();
  await withLock(LOCK_FILE, 600_000, takeDown);
  const leftovers = findLeftovers(inode);
  if (leftovers.length > 0) throw new Error(leftovers.map((leftover) => `left: ${leftover}`).join("\n"));
});
