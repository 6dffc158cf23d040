import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How many bytes may pass before the buffers that carried them are freed. */
const everyBytes = 1024 * 1024;

let collect: ((options: { type: "minor" }) => void) | undefined;
let passedBytes = 0;

/**
 * Tells that so many bytes have passed through buffers that are garbage now. Node reads into a new buffer each time, and
 * V8, which sees only the small handle of each, lets some 64 MiB of them pile up before it looks (measured, Node 24):
 * more than a container with little memory has to spare. A minor collection takes about a millisecond.
 */
export function freeBuffers(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < everyBytes) return;
  passedBytes = 0;
  collect ??= findCollector();
  collect({ type: "minor" });
}

function findCollector(): NonNullable<typeof collect> {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}
