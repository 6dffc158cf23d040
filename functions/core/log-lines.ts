import { parseStampNs } from "./log-stamp.ts";

/** Takes apart a log that was read with timestamps, chunk by chunk and in the chunks' own memory. */
export type LogLines = {
  /** The next whole lines without their stamps; what is incomplete is held back for the next chunk. Changes the chunk. */
  take(chunk: Buffer): Buffer;
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

/**
 * Lines at or before `afterNs` are left out: Kubernetes itself starts at whole seconds. `limitBytes` counts what is
 * given out; only whole lines are, unless one alone is longer than all of it.
 */
export function createLogLines({
  afterNs,
  limitBytes,
}: {
  afterNs?: bigint | undefined;
  limitBytes: number;
}): LogLines {
  let held: Buffer = Buffer.alloc(0);
  let given = 0;
  let isFull = false;
  let isMidLine = false;
  let isKept = afterNs === undefined;
  let hasPassed = isKept;
  let stamp: string | undefined; // of the line at hand
  let lastStamp: string | undefined;

  /** Begins a line and gives the position of its text. */
  function begin(input: Buffer, from: number, end: number): number {
    const space = stampEnd(input, from, end);
    if (space === -1) return from; // kubelet's own words come without a stamp
    const text = input.toString("latin1", from, space);
    stamp = text;
    if (!hasPassed && afterNs !== undefined) {
      const ns = parseStampNs(text);
      // The lines are in order of time; were the node's clock set back, what follows must not be lost.
      isKept = hasPassed = ns === undefined || ns > afterNs;
    }
    return space + 1;
  }

  function takeAll(input: Buffer, hasEnded: boolean): Buffer {
    let to = 0;
    let from = 0;
    while (from < input.length && !isFull) {
      const at = input.indexOf(newline, from);
      if (at === -1 && !hasEnded && input.length - from < longestHeldBytes) break;
      const end = at === -1 ? input.length : at + 1;
      const text = isMidLine ? from : begin(input, from, end);
      if (isKept && given + to > 0 && given + to + end - text > limitBytes) {
        isFull = true;
        break;
      }
      isMidLine = at === -1;
      if (isKept) {
        input.copyWithin(to, text, end);
        to += end - text;
        if (!isMidLine || hasEnded || lastStamp === undefined) lastStamp = stamp;
      }
      from = end;
    }
    held = isFull ? Buffer.alloc(0) : Buffer.from(input.subarray(from));
    given += to;
    return input.subarray(0, to);
  }

  return {
    take: (chunk) => takeAll(held.length === 0 ? chunk : Buffer.concat([held, chunk]), false),
    takeRest: () => takeAll(held, true),
    isFull: () => isFull,
    lastStamp: () => lastStamp,
  };
}

/** The position of the space behind a line's stamp (RFC 3339, 20 to 35 characters); -1 when it begins with none. */
function stampEnd(input: Buffer, from: number, end: number): number {
  if (input[from + 4] !== 0x2d || input[from + 10] !== 0x54) return -1;
  const space = input.indexOf(0x20, from + 20);
  return space !== -1 && space < end && space <= from + 35 ? space : -1;
}
