import type { Readable } from "node:stream";
import { isJsonObject, type JsonObject, parseJson } from "../core/json.ts";

/** A change that a watch reports; of an ERROR the object is a Status. */
export type WatchEvent = { type: "ADDED" | "MODIFIED" | "DELETED" | "ERROR"; object: JsonObject };

/** An event is an object of at most 1.5 MiB (etcd's limit) and a few letters. */
const eventLimitBytes = 4 * 1024 * 1024;

/** The events of a watch, one a line of JSON. Throws when the connection breaks, ends when the server ends the watch. */
export async function* readWatch(stream: Readable): AsyncGenerator<WatchEvent, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (let chunk of stream as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a)) {
      const event = parseJson(Buffer.concat([...held, chunk.subarray(0, at)]).toString("utf8"));
      if (isJsonObject(event) && isJsonObject(event.object)) yield event as WatchEvent;
      held = [];
      heldBytes = 0;
      chunk = chunk.subarray(at + 1);
    }
    heldBytes += chunk.length;
    if (heldBytes > eventLimitBytes) throw new Error(`watch event over ${eventLimitBytes} bytes`);
    held.push(chunk);
  }
}
