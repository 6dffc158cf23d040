import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { JobRef } from "../../functions/core/outcome.ts";

// What happened in a run, in the order in which it became known. All times are ms since the epoch, by one clock.

/** One request of a client and its answer. */
export type Attempt = {
  kind: "attempt";
  number: number;
  /** The delivery that this request is a try of; a delivery goes on until somebody answers for good. */
  delivery: number;
  key: string;
  keyDigest: string;
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
  keyDigest?: string | undefined;
  /** Whole seconds, rounded down. */
  createdAtMs: number;
  hasEnded: boolean;
};

/** What the run did to a process of the function, to the API server, or (a person's delete, when sent) to a Job. */
export type Deed =
  | { kind: "process"; atMs: number; replica: string; change: "started" | "killed" | "frozen" | "thawed" }
  | { kind: "api-server"; atMs: number; change: "stopping" | "started" }
  | { kind: "removal"; atMs: number; uid: string };

export type HistoryEntry = Attempt | JobSeen | Deed;

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
