// The wall clock with the steps of the monotonic one, so that the lines of a log never go back.
const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** The present moment as RFC 3339 with nine digits, as a container runtime writes it into a log. */
export function nanoTime(): string {
  const nanos = offset + process.hrtime.bigint();
  const seconds = new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanos % 1_000_000_000n).padStart(9, "0")}Z`;
}
