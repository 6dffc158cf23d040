import { vi } from "vitest";

const pauses: number[] = [];

/**
 * Stands for `setTimeout` of node:timers/promises, for vi.mock: takes no time, but keeps what was asked for (ms) and
 * rejects for an aborted signal as the real one does.
 */
export const pause = vi.fn(async (ms: number, _value: unknown, { signal }: { signal?: AbortSignal } = {}) => {
  signal?.throwIfAborted();
  pauses.push(ms);
  signal?.throwIfAborted();
});

/** The pauses since the last call of this, in ms. */
export function takePauses(): number[] {
  return pauses.splice(0);
}
