import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** The function as a process of its own. */
export interface FunctionProcess {
  /** Resolves when it has ended: with its exit code, or null for a signal. */
  ended: Promise<number | null>;
  /** SIGTERM, and SIGKILL if it is still there after its own longest drain. */
  stop(): Promise<void>;
}

const readyTimeoutMs = 30_000;
const stopTimeoutMs = 25_000;
const pollMs = 50;

/** Starts the function as a process of its own; its output goes line by line to `onLine`. */
export function startFunction(
  entry: string,
  env: Readonly<Record<string, string | undefined>>,
  onLine: (line: string) => void,
): FunctionProcess {
  const child = spawn(process.execPath, [entry], { env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", onLine);
  const ended = once(child, "close").then(([code]) => code as number | null);
  return {
    ended,
    stop: async () => {
      if (hasEnded(child)) return;
      child.kill("SIGTERM");
      const isEnded = ended.then(() => true);
      if (await Promise.race([isEnded, sleep(stopTimeoutMs, false, { ref: false })])) return;
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Waits until the function is ready; throws a sentence when it ends first or takes too long. */
export async function waitUntilReady(url: string, { ended }: FunctionProcess): Promise<void> {
  const deadlineMs = Date.now() + readyTimeoutMs;
  let exit: string | undefined;
  ended.then((code) => {
    exit = code === null ? "by a signal" : `with exit code ${code}`;
  });
  while (exit === undefined && Date.now() < deadlineMs) {
    const answer = await fetch(`${url}/health/readiness`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(pollMs);
  }
  throw new Error(
    exit === undefined
      ? `the function was not ready at ${url} after ${readyTimeoutMs / 1000} s`
      : `the function ended ${exit} before it was ready; its last lines say why`,
  );
}
