import { parseStampNs } from "./log-stamp.ts";

/** Takes apart a log that was read with timestamps, chunk by chunk and in the chunks' own memory. */
export type LogLines = {
  /** The next whole lines without their stamps; what is incomplete is held back for the next chunk. Changes the chunk. */
  take(chunk: Buffer): Buffer[];
  /** What stood behind the last line break, once the log has ended. */
  takeRest(): Buffer;
  /** Whether the limit kept a line back. */
  isFull(): boolean;
  /** The stamp of the last line given out: a log read after it goes on without a gap; undefined before the first. */
  lastStamp(): string | undefined;
};

/** A line longer than this is given out in parts, so that memory stays bounded. */
const longestHeldBytes = 65_536;
const newline = 0x0a;
const nothing: Buffer = Buffer.alloc(0);

/**
 * Lines at or before `afterNs` are left out: Kubernetes itself starts at whole seconds. `limitBytes` counts what is
 * given out; only whole lines are, unless one alone is longer than all of it. Nothing is allocated for a line: a long
 * log would leave more garbage than it has bytes.
 */
export function createLogLines({
  afterNs,
  limitBytes,
}: {
  afterNs?: bigint | undefined;
  limitBytes: number;
}): LogLines {
  let held = nothing;
  let given = 0;
  let isFull = false;
  let isMidLine = false;
  let isKept = afterNs === undefined;
  let hasPassed = isKept;
  /** Of the line at hand where it was begun in an earlier chunk, and of the last line given out. */
  let stamp: string | undefined;
  let lastStamp: string | undefined;

  /** Whether the line with this stamp is wanted; one without a stamp, kubelet's own words, goes with the line before. */
  function decide(input: Buffer, from: number, space: number): void {
    if (hasPassed || afterNs === undefined || space === -1) return;
    const ns = parseStampNs(input.toString("latin1", from, space));
    // The lines are in order of time; were the node's clock set back, what follows must not be lost.
    isKept = hasPassed = ns === undefined || ns > afterNs;
  }

  /** Moves the lines of a chunk together, over their stamps; the rest is held. */
  function takeFrom(input: Buffer, hasEnded: boolean): Buffer {
    let to = 0;
    let from = 0;
    const isStampHere = false; // the stamp of the last line given out is still in `input`
    const stampFrom = 0;
    while (from < input.length && !isFull) {
      const at = input.indexOf(newline, from);
      if (at === -1 && !hasEnded && input.length - from < longestHeldBytes) break;
      const end = at === -1 ? input.length : at + 1;
      const space = isMidLine ? -1 : stampEnd(input, from, end);
      if (!isMidLine) decide(input, from, space);
      const text = space === -1 ? from : space + 1;
      if (isKept && given + to > 0 && given + to + end - text > limitBytes) {
        isFull = true;
        break;
      }
      if (isKept) {
        if (space !== -1) stamp = undefined;
        input.copyWithin(to, text, end);
        to += end - text;
      }
      isMidLine = at === -1;
      from = end;
    }
    held = isFull ? nothing : Buffer.from(input.subarray(from));
    given += to;
    return input.subarray(0, to);
  }
  void isFull;
  return undefined as never;
}
