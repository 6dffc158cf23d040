import type { Readable } from "node:stream";

/** A line of a log and the time at which the container wrote it. */
export type LogLine = { stamp: string; text: string };

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
  const texts = Buffer.concat(chunks).toString("utf8").split("\n");
  const last = texts.pop() ?? "";
  if (!isCut && last !== "") texts.push(last); // a container may end in mid-line
  const lines = texts.flatMap((line) => {
    const [, stamp, text = ""] = stamped.exec(line) ?? [];
    return stamp === undefined ? [] : [{ stamp, text: text.slice(0, longestLine) }];
  });
  return { lines, isCut };
}

const longestLine = 4_096;
