/** The promise, or the signal's reason as rejection when that comes first. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const left = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: left.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    left.abort();
  }
}
