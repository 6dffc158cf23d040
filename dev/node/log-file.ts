import { EventEmitter } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { nanoTime } from "./clock.ts";

/** A container's log, in the format of the Container Runtime Interface: `TIME STREAM TAG text`, one line each. */
export interface LogFile {
  path: string;
  append(stream: "stdout" | "stderr", chunk: Buffer): void;
  /** Nothing comes any more; a last line without an end is written out. */
  end(): void;
  readonly isEnded: boolean;
  /** Emits "change" after each append and at the end. */
  changes: EventEmitter;
}

// A runtime cuts longer lines into parts tagged P.
const longestPartBytes = 16 * 1024;
const newline = 10;

/** Opens a new log. Writes are synchronous: a line is in the file before anyone is told that the process ended. */
export function createLogFile(path: string): LogFile {
  const fd = openSync(path, "w");
  const changes = new EventEmitter().setMaxListeners(0);
  const rests = new Map<"stdout" | "stderr", Buffer>();
  let isEnded = false;

  const write = (stream: string, tag: "F" | "P", text: Buffer) => {
    writeSync(fd, Buffer.concat([Buffer.from(`${nanoTime()} ${stream} ${tag} `), text, Buffer.from("\n")]));
  };

  return {
    path,
    changes,
    get isEnded() {
      return isEnded;
    },
    append: (stream, chunk) => {
      if (isEnded) return;
      let rest = Buffer.concat([rests.get(stream) ?? Buffer.alloc(0), chunk]);
      for (;;) {
        const end = rest.subarray(0, longestPartBytes + 1).indexOf(newline);
        if (end < 0 && rest.length <= longestPartBytes) break;
        const length = end < 0 ? longestPartBytes : end;
        write(stream, end < 0 ? "P" : "F", rest.subarray(0, length));
        rest = rest.subarray(end < 0 ? length : length + 1);
      }
      rests.set(stream, Buffer.from(rest));
      changes.emit("change");
    },
    end: () => {
      if (isEnded) return;
      for (const [stream, rest] of rests) if (rest.length > 0) write(stream, "F", rest);
      isEnded = true;
      closeSync(fd);
      changes.emit("change");
    },
  };
}
