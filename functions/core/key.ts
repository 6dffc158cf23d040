import { createHash } from "node:crypto";
import { Fault } from "../errors.ts";
import type { ReceivedEvent } from "./cloudevent.ts";
import { parseTimestampMs } from "./timestamp.ts";

/** The type of Knative's PingSource events. */
export const pingEventType = "dev.knative.sources.ping";

/** What a caller repeats to say "the same request again"; `parts` are compared whole, never concatenated. */
export type Key = { kind: "http" | "event" | "ping" | "random"; parts: readonly string[] };

/** The CronJob that a key belongs to. */
export type CronJobRef = { namespace: string; name: string };

/** The key of a plain HTTP request: its Idempotency-Key, quoted (draft-ietf-httpapi-idempotency-key) or bare; else random. */
export function keyOfHttpRequest(header: string | undefined, random: string): Key {
  if (header === undefined) return { kind: "random", parts: [random] };
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header);
  const value = quoted ? (quoted[1] ?? "").replace(/\\(.)/g, "$1") : header;
  if (!/^[\x20-\x7e]{1,255}$/.test(value)) {
    throw new Fault("malformed-request", "Idempotency-Key: 1 to 255 printable ASCII characters, quoted or bare");
  }
  return { kind: "http", parts: [value] };
}

/** The key of an event: source and id; for a ping its source and minute, because each adapter gives it a new id. */
export function keyOfEvent(event: ReceivedEvent): Key {
  const timeMs = event.type === pingEventType ? parseTimestampMs(event.time ?? "") : undefined;
  if (timeMs !== undefined) return { kind: "ping", parts: [event.source, String(Math.floor(timeMs / 60_000))] };
  return { kind: "event", parts: [event.source, event.id] };
}

/** SHA-256 in hex over the CronJob and the key: the Job's annotation `key-digest`, of which its name carries a part. */
export function keyDigest(cronJob: CronJobRef, key: Key): string {
  return tupleDigest(["v1", cronJob.namespace, cronJob.name, key.kind, ...key.parts]);
}

/** SHA-256 in hex over what decides whether a repeated key is the same request: policies, not the reason. */
export function requestDigest(request: { onOverlap: string; ifOlderThanMs?: number | undefined }): string {
  return tupleDigest([
    "v1",
    request.onOverlap,
    request.ifOlderThanMs === undefined ? "" : String(request.ifOlderThanMs),
  ]);
}

/** Each part goes in behind its length in bytes, so that ("a", "bc") and ("ab", "c") differ. */
function tupleDigest(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = Buffer.from(part, "utf8");
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex");
}
