import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { LogOptions } from "../api/pod-log.ts";
import { createLogFormatter } from "./format-log.ts";
import type { LogFile } from "./log-file.ts";

const chunkBytes = 64 * 1024;
const newline = 10;

/** The lines of a log as the kubelet gives them out, read only as fast as they are taken. */
export function readLog(file: LogFile, options: LogOptions): Readable {
  const left = new AbortController();
  const chunks = chunksOf(file, options, left.signal);
  return new Readable({
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    // A reader who leaves ends the wait for a line that may never come.
    destroy(error, done) {
      left.abort();
      chunks.return().then(
        () => done(error),
        () => done(error),
      );
    },
  });
}

async function* chunksOf(file: LogFile, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const handle = await open(file.path, "r");
  try {
    const format = createLogFormatter(options);
    let position = await startPosition(handle, options.tailLines);
    let rest = Buffer.alloc(0);
    for (;;) {
      // Both are asked before reading, so that nothing that comes meanwhile is missed.
      const { isEnded, version } = file;
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, position);
      position += bytesRead;
      if (bytesRead === 0) {
        if (isEnded || !options.follow || signal.aborted) return;
        if (file.version === version) await once(file.changes, "change", { signal }).catch(() => undefined);
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
