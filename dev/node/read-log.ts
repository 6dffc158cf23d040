import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { LogOptions } from "../api/pod-log.ts";
import type { LogFile } from "./log-file.ts";

const chunkBytes = 64 * 1024;
const newline = 10;

/** The lines of a log, as the kubelet gives them out: without what the runtime wrote before them, or with the time. */
export function readLog(file: LogFile, options: LogOptions): Readable {
  return Readable.from(chunksOf(file, options), { objectMode: false });
}

async function* chunksOf(file: LogFile, options: LogOptions): AsyncGenerator<Buffer> {
  const handle = await open(file.path, "r");
  const format = createFormatter(options);
  try {
    let position = await startPosition(handle, options.tailLines);
    let rest = Buffer.alloc(0);
    for (;;) {
      // Asked before reading, so that what comes with the end is not missed.
      const wasEnded = file.isEnded;
      const changed = once(file.changes, "change", { signal: AbortSignal.timeout(0x7fffffff) }).catch(() => undefined);
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, position);
      position += bytesRead;
      if (bytesRead === 0) {
        if (wasEnded || !options.follow) return;
        await changed;
        continue;
      }
      const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = text.lastIndexOf(newline) + 1;
      rest = Buffer.from(text.subarray(end));
      const { output, isFull } = format(text.subarray(0, end));
      if (output.length > 0) yield output;
      if (isFull) return;
    }
  } finally {
    await handle.close();
  }
}

type Formatter = (lines: Buffer) => { output: Buffer; isFull: boolean };

function createFormatter({ timestamps, sinceMs, limitBytes = Number.POSITIVE_INFINITY }: LogOptions): Formatter {
  let left = limitBytes;
  let isContinued = false;
  return (lines) => {
    const parts: Buffer[] = [];
    for (let start = 0; start < lines.length && left > 0; ) {
      const end = lines.indexOf(newline, start);
      const line = lines.subarray(start, end);
      start = end + 1;
      // `TIME STREAM TAG text`
      const timeEnd = line.indexOf(32);
      const tagAt = line.indexOf(32, timeEnd + 1) + 1;
      const time = line.subarray(0, timeEnd).toString("latin1");
      if (sinceMs !== undefined && Date.parse(time) < sinceMs) continue;
      const isPart = line[tagAt] === 80;
      const prefix = timestamps && !isContinued ? `${time} ` : "";
      const text = Buffer.concat([
        Buffer.from(prefix),
        line.subarray(tagAt + 2),
        Buffer.from(isPart ? "" : "\n"),
      ]).subarray(0, left);
      isContinued = isPart;
      left -= text.length;
      parts.push(text);
    }
    return { output: Buffer.concat(parts), isFull: left <= 0 };
  };
}

/** Where the last lines begin: counted from the end of the file in chunks. */
async function startPosition(handle: FileHandle, tailLines: number | undefined): Promise<number> {
  if (tailLines === undefined) return 0;
  const { size } = await handle.stat();
  if (tailLines === 0) return size;
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const { buffer } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = buffer.lastIndexOf(newline); at >= 0; at = at === 0 ? -1 : buffer.lastIndexOf(newline, at - 1)) {
      // The newline at the very end closes the last line and begins none.
      if (start + at === size - 1) continue;
      found += 1;
      if (found === tailLines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
