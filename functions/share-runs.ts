import { untilAborted } from "./until-aborted.ts";

type Run<T> = { result: Promise<T>; callers: number; controller: AbortController };

/**
 * Makes callers that ask for the same key at the same time share one run of `work`. A run is shared only by those who
 * asked before it began, so that nobody gets an answer older than the question; whoever comes later shares the next one.
 * A run whose callers have all left is aborted.
 */
export function shareRuns<T>(work: (key: string, signal: AbortSignal) => Promise<T>) {
  const waiting = new Map<string, Run<T>>();
  const running = new Map<string, Run<T>>();

  function forget(key: string, run: Run<T>): void {
    for (const runs of [waiting, running]) if (runs.get(key) === run) runs.delete(key);
  }

  function prepare(key: string): Run<T> {
    const controller = new AbortController();
    const before = running.get(key)?.result.catch(() => undefined);
    const begin = async (): Promise<T> => {
      await before;
      await new Promise(setImmediate); // all who ask in this turn of the event loop come along
      if (waiting.get(key) === run) waiting.delete(key);
      running.set(key, run);
      return work(key, controller.signal).finally(() => forget(key, run));
    };
    const run: Run<T> = { callers: 0, controller, result: begin() };
    run.result.catch(() => undefined); // a run that all have left may fail
    waiting.set(key, run);
    return run;
  }

  return async (key: string, signal: AbortSignal): Promise<T> => {
    signal.throwIfAborted();
    const run = waiting.get(key) ?? prepare(key);
    run.callers += 1;
    try {
      return await untilAborted(run.result, signal);
    } finally {
      run.callers -= 1;
      if (run.callers === 0) {
        if (waiting.get(key) === run || running.get(key) === run) run.controller.abort();
        forget(key, run);
      }
    }
  };
}
