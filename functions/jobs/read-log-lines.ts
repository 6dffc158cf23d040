import type { Readable } from "node:stream";

/** A line of a log and the time at which the container wrote it; `bytes` as they came, stamp and line feed included. */
export type LogLine = { stamp: string; text: string; bytes: number };

const stamped = /^(\d{4}-\d\d-\d\dT\S{9,24}) (.*)$/s;

/**
 * The whole lines of a log that was read with timestamps, of at most about `limitBytes`; `isCut` tells that there may be
 * more. Lines longer than 4 KiB are cut.
 */
export async function readLogLines(log: Readable, limitBytes: number): Promise<{ lines: LogLine[]; isCut: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of log as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limitBytes) break; // leaving the loop ends the request
  }
  const isCut = length >= limitBytes;
  const whole = Buffer.concat(chunks);
  const lines: LogLine[] = [];
  for (let from = 0; from < whole.length; ) {
    const at = whole.indexOf(lineFeed, from);
    if (at === -1 && isCut) break;
    const end = at === -1 ? whole.length : at; // a container may end in mid-line
    const [, stamp, text = ""] = stamped.exec(whole.toString("utf8", from, end)) ?? [];
    if (stamp !== undefined) lines.push({ stamp, text: text.slice(0, longestLine), bytes: end + 1 - from });
    from = end + 1;
  }
  return { lines, isCut };
}

const longestLine = 4_096;
const lineFeed = 0x0a;
