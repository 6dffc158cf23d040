import { setTimeout as pause } from "node:timers/promises";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import type { Recorder } from "./history.ts";
import type { Random } from "./random.ts";

/** One of the function's processes; it may be dead or frozen. */
export type Replica = {
  name: string;
  /** Where it listens, or last did. */
  url(): string;
  /** Whether it listens, as far as anybody can know: a frozen process does. */
  isUp(): boolean;
  kill(): Promise<void>;
  /** Stops the process in the middle of whatever it does, and lets it go on after that time. */
  freeze(ms: number): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a process of the function under a name. */
export async function startReplica(name: string, env: Record<string, string>, recorder: Recorder): Promise<Replica> {
  let fn: FunctionProcess;
  let isUp = false;
  const record = (change: "started" | "killed" | "frozen" | "thawed") =>
    recorder.record({ kind: "process", atMs: Date.now(), replica: name, change });
  const replica: Replica = {
    name,
    url: () => fn.url,
    isUp: () => isUp,
    async start() {
      fn = await startFunction(env);
      isUp = true;
      record("started");
    },
    async kill() {
      record("killed");
      fn.signal("SIGKILL");
      await fn.exited;
      isUp = false;
    },
    async freeze(ms) {
      record("frozen");
      fn.signal("SIGSTOP");
      await pause(ms);
      fn.signal("SIGCONT");
      record("thawed");
    },
    async stop() {
      process.removeListener("exit", abandon);
      await fn.stop();
    },
  };
  // A frozen process would outlive a run that breaks off.
  const abandon = () => fn.signal("SIGKILL");
  await replica.start();
  process.once("exit", abandon);
  return replica;
}

/** Kills or freezes a process every now and then until the time is over, and leaves it running. */
export async function troubleReplica(
  replica: Replica,
  random: Random,
  { untilMs, everyMs, longestFreezeMs }: { untilMs: number; everyMs: number; longestFreezeMs: number },
): Promise<void> {
  for (;;) {
    await pause(Math.max(0, Math.min(untilMs - performance.now(), random.between(0, 2 * everyMs))));
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return;
    if (random.chance(0.5)) {
      await replica.kill();
      await pause(random.between(0, 2_000));
      await replica.start();
    } else await replica.freeze(Math.min(leftMs, random.between(50, longestFreezeMs)));
  }
}
