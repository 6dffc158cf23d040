import type { LogOptions } from "../api/pod-log.ts";

const newline = 10;
const space = 32;
const partTag = "P".charCodeAt(0);
const lineEnd = Buffer.from("\n");

/** Turns whole lines of a log file into what is given out; `isFull` when the wanted number of bytes has been reached. */
export type LogFormatter = (lines: Buffer) => { output: Buffer; isFull: boolean };

/** A formatter for one reading: it remembers how much it gave out and whether a line goes on. */
export function createLogFormatter(options: Pick<LogOptions, "timestamps" | "sinceMs" | "limitBytes">): LogFormatter {
  const { timestamps, sinceMs, limitBytes = Number.POSITIVE_INFINITY } = options;
  let leftBytes = limitBytes;
  let isContinued = false;
  return (lines) => {
    const parts: Buffer[] = [];
    let length = 0;
    for (let start = 0; start < lines.length && length < leftBytes; ) {
      const end = lines.indexOf(newline, start);
      const line = lines.subarray(start, end);
      start = end + 1;
      // `TIME STREAM TAG text`
      const timeEnd = line.indexOf(space);
      const tagAt = line.indexOf(space, timeEnd + 1) + 1;
      if (sinceMs !== undefined && Date.parse(line.toString("latin1", 0, timeEnd)) < sinceMs) continue;
      const isPart = line[tagAt] === partTag;
      const time = timestamps && !isContinued ? [line.subarray(0, timeEnd + 1)] : [];
      const added = [...time, line.subarray(tagAt + 2), ...(isPart ? [] : [lineEnd])];
      isContinued = isPart;
      parts.push(...added);
      length += added.reduce((sum, each) => sum + each.length, 0);
    }
    const output = Buffer.concat(parts);
    const given = output.length > leftBytes ? output.subarray(0, leftBytes) : output;
    leftBytes -= given.length;
    return { output: given, isFull: leftBytes <= 0 };
  };
}
