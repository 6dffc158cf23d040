import { EventEmitter } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { nanoTime, nowNanos } from "./clock.ts";

type Stream = "stdout" | "stderr";

/** A container's log, in the format of the Container Runtime Interface: `TIME STREAM TAG text`, one line each. */
export interface LogFile {
  path: string;
  append(stream: Stream, chunk: Buffer): void;
  /** Nothing comes any more; a last line without an end is written out. */
  end(): void;
  readonly isEnded: boolean;
  /** Grows with each change; "change" is emitted then. */
  readonly version: number;
  changes: EventEmitter;
}

// A runtime cuts longer lines into parts tagged P.
const longestPartBytes = 16 * 1024;
const newline = 10;

/** Opens a new log. Writes are synchronous: a line is in the file before anyone is told that the process ended. */
export function createLogFile(path: string): LogFile {
  const fd = openSync(path, "w");
  const changes = new EventEmitter().setMaxListeners(0);
  const rests = new Map<Stream, Buffer>();
  let isEnded = false;
  let version = 0;
  let lastNanos = 0n;

  /** No two lines have the same time, so that a reader can say from which one on. */
  const prefix = (stream: Stream, tag: "F" | "P") => {
    const now = nowNanos();
    lastNanos = now > lastNanos ? now : lastNanos + 1n;
    return Buffer.from(`${nanoTime(lastNanos)} ${stream} ${tag} `);
  };
  const changed = () => {
    version += 1;
    changes.emit("change");
  };

  return {
    path,
    changes,
    get isEnded() {
      return isEnded;
    },
    get version() {
      return version;
    },
    append: (stream, chunk) => {
      if (isEnded) return;
      const rest = rests.get(stream);
      const text = rest ? Buffer.concat([rest, chunk]) : chunk;
      const lines: Buffer[] = [];
      let start = 0;
      for (;;) {
        const end = text.indexOf(newline, start);
        const isWhole = end >= 0 && end - start <= longestPartBytes;
        if (!isWhole && text.length - start <= longestPartBytes) break;
        const stop = isWhole ? end : start + longestPartBytes;
        lines.push(prefix(stream, isWhole ? "F" : "P"), text.subarray(start, stop), Buffer.from("\n"));
        start = isWhole ? stop + 1 : stop;
      }
      if (start < text.length) rests.set(stream, Buffer.from(text.subarray(start)));
      else rests.delete(stream);
      if (lines.length === 0) return;
      writeSync(fd, Buffer.concat(lines));
      changed();
    },
    end: () => {
      if (isEnded) return;
      for (const [stream, rest] of rests) writeSync(fd, Buffer.concat([prefix(stream, "F"), rest, Buffer.from("\n")]));
      isEnded = true;
      closeSync(fd);
      changed();
    },
  };
}
