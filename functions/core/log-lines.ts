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
/** The longest stamp (RFC 3339 with nanoseconds and offset), and the shortest. */
const longestStamp = 35;
const shortestStamp = 20;
const newline = 0x0a;
const nothing: Buffer = Buffer.alloc(0);

/**
 * Lines at or before `afterNs` are left out: Kubernetes itself starts at whole seconds. `limitBytes` counts what is
 * given out; only whole lines are, unless one alone is longer than all of it. Nothing is allocated for each line: a long
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
  const stamp = createStamp();
  const lastStamp = createStamp();

  /** Decides on the line that begins here, and gives the position of its text. */
  function begin(input: Buffer, from: number, end: number): number {
    const space = stampEnd(input, from, end);
    if (space === -1) return from; // kubelet's own words come without a stamp: they go with the line before
    stamp.copyFrom(input, from, space);
    if (!hasPassed && afterNs !== undefined) {
      const ns = parseStampNs(stamp.text() ?? "");
      // The lines are in order of time; were the node's clock set back, what follows must not be lost.
      isKept = hasPassed = ns === undefined || ns > afterNs;
    }
    return space + 1;
  }

  /** Moves the lines of the input together, over their stamps, and holds what is incomplete. */
  function squeeze(input: Buffer, hasEnded: boolean): Buffer {
    let to = 0;
    let from = 0;
    while (from < input.length && !isFull) {
      const at = input.indexOf(newline, from);
      if (at === -1 && !hasEnded && input.length - from < longestHeldBytes) break;
      const end = at === -1 ? input.length : at + 1;
      const text = isMidLine ? from : begin(input, from, end);
      isFull = isKept && given + to > 0 && given + to + end - text > limitBytes;
      if (isFull) break;
      isMidLine = at === -1;
      if (isKept) {
        input.copyWithin(to, text, end);
        to += end - text;
        if (!isMidLine || hasEnded || lastStamp.length() === 0) lastStamp.copyFrom(stamp.bytes, 0, stamp.length());
      }
      from = end;
    }
    held = isFull || from === input.length ? nothing : Buffer.from(input.subarray(from));
    given += to;
    return input.subarray(0, to);
  }

  /** The line that was held back, with its end from the chunk, and the rest of the chunk. */
  function complete(chunk: Buffer): Buffer[] {
    if (held.length === 0) return [chunk];
    const end = chunk.indexOf(newline) + 1 || chunk.length;
    return [Buffer.concat([held, chunk.subarray(0, end)]), chunk.subarray(end)];
  }

  return {
    take: (chunk) =>
      complete(chunk)
        .filter((input) => input.length > 0) // what is held stays held
        .map((input) => squeeze(input, false))
        .filter(({ length }) => length > 0),
    takeRest: () => squeeze(held, true),
    isFull: () => isFull,
    lastStamp: lastStamp.text,
  };
}

/** The position of the space behind a line's stamp; -1 when it begins with none. */
function stampEnd(input: Buffer, from: number, end: number): number {
  if (input[from + 4] !== 0x2d || input[from + 10] !== 0x54) return -1;
  for (let at = from + shortestStamp; at < end && at <= from + longestStamp; at += 1) if (input[at] === 0x20) return at;
  return -1;
}

/** A place for a stamp that is used again and again. */
function createStamp() {
  const bytes = Buffer.alloc(longestStamp);
  let used = 0;
  return {
    bytes,
    length: () => used,
    copyFrom: (source: Buffer, from: number, end: number) => {
      used = source.copy(bytes, 0, from, end);
    },
    text: () => (used === 0 ? undefined : bytes.toString("latin1", 0, used)),
  };
}
