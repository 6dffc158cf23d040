import type { Attempt, HistoryEntry, JobSeen, RecordLine } from "./history.ts";

// Made-up histories for the checker's tests. Time runs in ms from 0; a Job's revision is the time of the change.

let number = 0;

/** A request for a key from `startMs` to `endMs`, by default answered "created" with the key's first Job. */
export function attempt(key: string, [startMs, endMs]: [number, number], more: Partial<Attempt> = {}): Attempt {
  number += 1;
  return {
    ...{ kind: "attempt", number, delivery: number, key, replica: "a", startMs, endMs },
    ...{ status: 200, outcome: "created", job: jobRef(key) },
    ...more,
  };
}

/** A Job as an answer names it. */
export function jobRef(key: string, uid: string | null = `uid ${key}`, name = `sync-${key}`) {
  return { name, namespace: "n", uid, createdAt: null };
}

/** What a request without success looks like. */
export function failed(status: number, code?: string): Partial<Attempt> {
  return { status, code, error: status === 0 ? "reset" : undefined, outcome: undefined, job: null };
}

/** What a policy's answer naming another key's Job looks like. */
export function named(outcome: "joined" | "refused", key: string): Partial<Attempt> {
  const status = outcome === "joined" ? 200 : 409;
  return { status, outcome, job: jobRef(key), ...(status === 409 ? { code: "refused" } : {}) };
}

/** A Job of a key as the watch saw it: created, then ended, then removed, as far as times are given. */
export function job(
  key: string,
  times: { createdMs: number; endedMs?: number; removedMs?: number },
  more: Partial<JobSeen> = {},
): HistoryEntry[] {
  const { createdMs, endedMs, removedMs } = times;
  const base = {
    kind: "job" as const,
    name: `sync-${key}`,
    uid: `uid ${key}`,
    key,
    keyDigest: `digest ${key}`,
    createdAtMs: Math.floor(createdMs / 1_000) * 1_000,
  };
  const seen = (change: JobSeen["change"], atMs: number, hasEnded: boolean): JobSeen => ({
    ...base,
    ...{ change, atMs, revision: atMs, hasEnded },
    ...more,
  });
  return [
    seen("added", createdMs, false),
    ...(endedMs === undefined ? [] : [seen("modified", endedMs, true)]),
    ...(removedMs === undefined ? [] : [seen("deleted", removedMs, endedMs !== undefined)]),
  ];
}

/** A deed done to a process. */
export function process(change: "killed" | "frozen" | "thawed" | "started", atMs: number, replica = "a"): HistoryEntry {
  return { kind: "process", atMs, replica, change };
}

/** A version of the record that has a key's line in place of the one before; the slot is the key. */
export function written(slot: string, state: RecordLine["state"], atMs: number, before?: RecordLine): HistoryEntry {
  const line = { slot, state, sinceMs: Math.floor(atMs / 1_000) * 1_000 };
  return { kind: "record", atMs, revision: atMs, added: [line], removed: before ? [before] : [] };
}
