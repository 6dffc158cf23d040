// The wall clock with the steps of the monotonic one, so that the lines of a log never go back.
const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** The present moment in nanoseconds since 1970. */
export const nowNanos = () => offset + process.hrtime.bigint();

const perSecond = 1_000_000_000n;
let formatted = { second: -1n, text: "" };

/** A moment as RFC 3339 with nine digits, as a container runtime writes it into a log. */
export function nanoTime(nanos: bigint): string {
  const second = nanos / perSecond;
  // Lines come by the thousand within a second.
  if (second !== formatted.second) {
    formatted = { second, text: new Date(Number(second) * 1000).toISOString().slice(0, 19) };
  }
  return `${formatted.text}.${String(nanos % perSecond).padStart(9, "0")}Z`;
}
