import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What is waited for, how long at most, and whose log explains a failure. */
export interface Wait {
  what: string;
  timeoutMs: number;
  everyMs?: number;
  logFile?: string | undefined;
  /** Says that what is waited for can no longer come. */
  isHopeless?: () => boolean;
}

/**
 * Calls `check` until it returns something truthy, and returns that. When the deadline passes, the error names what
 * was waited for, the last error of `check`, and the tail of the log.
 */
export async function waitFor<T>(wait: Wait, check: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + wait.timeoutMs;
  let problem = "";
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      problem = `: ${error instanceof Error ? error.message : error}`;
    }
    const isLate = performance.now() > deadline;
    if (isLate || wait.isHopeless?.()) {
      const waited = isLate ? `waited ${wait.timeoutMs / 1000} s` : "waited in vain";
      throw new Error(`${waited} for ${wait.what}${problem}${tailOf(wait.logFile)}`);
    }
    await sleep(wait.everyMs ?? 100);
  }
}

/** The last lines of a log file, ready to be appended to an error message. */
export function tailOf(logFile: string | undefined, lines = 25): string {
  if (!logFile || !existsSync(logFile)) return "";
  const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lines);
  return `\n--- end of ${logFile}\n${tail.join("\n")}`;
}
