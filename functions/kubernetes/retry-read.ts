import { setTimeout as pause } from "node:timers/promises";
import { ApiError, isPassing } from "./api-error.ts";

const retryDelaysMs = [100, 500];
const longestRetryAfterS = 2;

/** Tries a read again while its failure is a passing one, as long as the server does not ask for a longer pause. */
export async function retryRead<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ApiError) || !isPassing(error.failure) || signal.aborted) throw error;
      const { retryAfterS = 0 } = error.failure;
      if (retryAfterS > longestRetryAfterS) throw error;
      await pause(Math.max(delayMs, retryAfterS * 1_000), undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
  return read();
}
