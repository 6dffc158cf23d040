import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Runs `work` while no other process of this machine runs work under the same lock file. The lock is held by a child
 * that reads our pipe, so it is freed however this process ends.
 */
export async function withLock<T>(file: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const seconds = String(timeoutMs / 1000);
  const hold = 'exec flock --wait "$1" "$2" sh -c "echo held; exec cat"';
  const holder = spawn("sh", ["-c", hold, "sh", seconds, file], { stdio: ["pipe", "pipe", "inherit"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  holder.stdout.once("data", () => resolve());
  holder.on("error", reject);
  holder.on("exit", () => reject(new Error(`another process held ${file} for ${seconds} s`)));
  await promise;
  try {
    return await work();
  } finally {
    holder.stdin.end();
  }
}
