import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { JobRef } from "../../functions/core/outcome.ts";

// What happened in a run, in the order in which it became known. All times are ms since the epoch, by one clock.

/** What becomes of a trigger while another Job is unfinished. */
export type Policy = "allow" | "forbid" | "join";

/** One request of a client and its answer. */
export type Attempt = {
  kind: "attempt";
  number: number;
  /** The delivery that this request is a try of; a delivery goes on until somebody answers for good. */
  delivery: number;
  key: string;
  /** The request's own policy; absent: it gave none, so the run's. */
  onOverlap?: Policy | undefined;
  /** The process that it was sent to; absent where a load balancer chose. */
  replica?: string | undefined;
  startMs: number;
  endMs: number;
  /** 0: no answer. */
  status: number;
  error?: string | undefined;
  /** From the body; an event's 202 has none. */
  outcome?: string | undefined;
  /** The tail of a problem's type. */
  code?: string | undefined;
  /** The problem in words. */
  detail?: string | undefined;
  job?: JobRef | null | undefined;
};

/** What the watch on Jobs saw. `listed` and `vanished` are known only from a list after a gap in the watch. */
export type JobSeen = {
  kind: "job";
  atMs: number;
  change: "added" | "modified" | "deleted" | "listed" | "vanished";
  /** The object's resourceVersion: one counter for all Jobs, so it orders what clocks cannot. */
  revision: number;
  name: string;
  uid: string;
  /** Of the request that made it, from the reason that it gave. */
  key?: string | undefined;
  onOverlap?: Policy | undefined;
  keyDigest?: string | undefined;
  /** Whole seconds, rounded down. */
  createdAtMs: number;
  hasEnded: boolean;
};

/** A line of the record: a key that is pending, done or ended, and since when. */
export type RecordLine = { slot: string; state: "P" | "D" | "E"; sinceMs: number };

/** What the watch on the record saw a version change. Its revision and a Job's are of one counter. */
type RecordSeen = { kind: "record"; atMs: number; revision: number; added: RecordLine[]; removed: RecordLine[] };

/**
 * What the run did to a process of the function, to the API server, or to a Job (a person's delete, when sent; its end,
 * when it was stored). From "calm" on it does no harm any more.
 */
export type Deed =
  | { kind: "process"; atMs: number; replica: string; change: "started" | "killed" | "frozen" | "thawed" }
  | { kind: "api-server"; atMs: number; change: "stopping" | "started" }
  | { kind: "removal" | "end"; atMs: number; uid: string }
  | { kind: "calm"; atMs: number };

export type HistoryEntry = Attempt | JobSeen | RecordSeen | Deed;

/** Keeps the entries in memory and, when a file is named, as a line of JSON each. */
export type Recorder = { entries: HistoryEntry[]; record(entry: HistoryEntry): void };

/** A recorder; the file and its directory are made anew. */
export function createRecorder(file?: string): Recorder {
  if (file) mkdirSync(dirname(file), { recursive: true });
  const descriptor = file ? openSync(file, "w") : undefined;
  const entries: HistoryEntry[] = [];
  return {
    entries,
    record(entry) {
      entries.push(entry);
      if (descriptor !== undefined) writeSync(descriptor, `${JSON.stringify(entry)}\n`);
    },
  };
}
