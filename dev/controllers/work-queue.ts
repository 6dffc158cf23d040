/** Calls `sync` for each key soon after it was asked for, never twice at once and never inside the asking call. */
export interface WorkQueue {
  add(key: string): void;
  /** A delay that is already running for the key is replaced by the shorter of the two. */
  addAfter(key: string, delayMs: number): void;
  stop(): void;
}

// setTimeout takes no longer one.
const longestDelayMs = 2 ** 31 - 1;

/** A queue; an error of `sync` is printed under its name. */
export function createWorkQueue(name: string, sync: (key: string) => void): WorkQueue {
  const due = new Set<string>();
  const timers = new Map<string, { timer: NodeJS.Timeout; atMs: number }>();
  let turn: NodeJS.Immediate | undefined;
  let stopped = false;

  const work = () => {
    turn = undefined;
    const keys = [...due];
    due.clear();
    for (const key of keys) {
      try {
        sync(key);
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        process.stderr.write(`embedded cluster: ${name}: ${key}: ${text}\n`);
      }
    }
  };

  const add = (key: string) => {
    if (stopped) return;
    due.add(key);
    turn ??= setImmediate(work);
  };

  return {
    add,
    addAfter: (key, delayMs) => {
      if (stopped) return;
      const atMs = Date.now() + delayMs;
      const running = timers.get(key);
      if (running && running.atMs <= atMs) return;
      clearTimeout(running?.timer);
      const expire = () => {
        timers.delete(key);
        add(key);
      };
      timers.set(key, { timer: setTimeout(expire, Math.min(delayMs, longestDelayMs)), atMs });
    },
    stop: () => {
      stopped = true;
      if (turn) clearImmediate(turn);
      for (const { timer } of timers.values()) clearTimeout(timer);
    },
  };
}
