import { setTimeout as pause } from "node:timers/promises";
import { isJsonObject, type JsonObject } from "./core/json.ts";
import { type Entry, formatRecord, parseRecord } from "./core/record.ts";
import { Fault } from "./errors.ts";
import { ApiError, isPassing } from "./kubernetes/api-error.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { retryAfter, toApiFault } from "./kubernetes/report-api-errors.ts";

/** A change of the record: from the entries to new ones, or to none when there is nothing to write. May throw a Fault. */
type Change<T> = (entries: readonly Entry[]) => { entries?: Entry[]; result: T };

/** The record of keys, shared by all replicas through one Lease. */
export type RecordStore = {
  /**
   * Applies a change by compare-and-swap and gives its result once that is stored; the change is asked again whenever
   * another replica was first. One that writes nothing is decided on the record as this process last knew it, and waits
   * for no write that is under way.
   */
  commit<T>(change: Change<T>, signal: AbortSignal): Promise<T>;
  /** Forgets what was read: the next change is decided on what is stored then. */
  refresh(): void;
  /** Resolves when no change is under way, or after so many milliseconds. */
  settle(timeoutMs: number): Promise<void>;
};

const annotation = "sync-trigger.internal/record";
/** How often a change is tried: against other replicas, and against an API server that does not serve us. */
const maxAttempts = { conflict: 12, failure: 3 };
const pauseMs = 15;

type Known = { lease: JsonObject; entries: readonly Entry[] };
type Waiting = {
  /** How often this change was tried without success, whatever batch it was in. */
  attempts: number;
  apply(entries: readonly Entry[]): Entry[] | undefined;
  done(): void;
  fail(error: unknown): void;
};

/**
 * The record in the cluster's Lease. Changes that come while a write is under way go out together in the next one, so a
 * burst of triggers costs few writes and a process never conflicts with itself.
 */
export function createRecordStore(cluster: Pick<Cluster, "getLease" | "updateLease">): RecordStore {
  let known: Known | undefined;
  let isOutOfDate = false;
  let waiting: Waiting[] = [];
  let writing = false;
  let flushed = Promise.resolve();

  async function read(): Promise<Known> {
    const lease = await cluster.getLease({ signal: new AbortController().signal }).catch((error) => {
      if (!(error instanceof ApiError) || error.failure.status !== 404) throw toApiFault(error);
      const where = "manifests/components/exactly-once creates it";
      throw new Fault("api-refused", `the Lease of the record does not exist; ${where}`, { cause: error });
    });
    return toKnown(lease);
  }

  async function write({ lease }: Known, entries: readonly Entry[]): Promise<Known> {
    const metadata = isJsonObject(lease.metadata) ? lease.metadata : {};
    const annotations = isJsonObject(metadata.annotations) ? metadata.annotations : {};
    const next = { ...annotations, [annotation]: formatRecord(entries) };
    const body = { ...lease, metadata: { ...metadata, annotations: next } };
    return toKnown(await cluster.updateLease(body, { signal: new AbortController().signal }));
  }

  async function flush(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const applied: Waiting[] = [];
      try {
        if (isOutOfDate) known = undefined;
        isOutOfDate = false;
        const current = known ?? (await read());
        known = current;
        let entries = current.entries;
        let isChanged = false;
        for (const change of batch) {
          try {
            const next = change.apply(entries);
            isChanged ||= next !== undefined;
            entries = next ?? entries;
            applied.push(change);
          } catch (error) {
            change.fail(error);
          }
        }
        if (isChanged) known = await write(current, entries);
        for (const change of applied) change.done();
      } catch (error) {
        // Another replica was first, or nobody knows: what is stored now must be read before anything is decided.
        known = undefined;
        const left = applied.length > 0 ? applied : batch;
        const isConflict = error instanceof ApiError && error.failure.status === 409;
        const most = isConflict ? maxAttempts.conflict : maxAttempts.failure;
        const mayPass = error instanceof ApiError && isPassing(error.failure);
        for (const change of left) change.attempts += 1;
        const again = left.filter(({ attempts }) => mayPass && attempts < most);
        const fault = isConflict ? outrun(error) : toApiFault(error);
        for (const change of left) if (!again.includes(change)) change.fail(fault);
        waiting = [...again, ...waiting];
        // Random, so that replicas that met once do not meet again.
        const attempts = Math.max(0, ...again.map((change) => change.attempts));
        if (attempts > 0) await pause(pauseMs * attempts * Math.random());
      }
    }
    // In the same turn as the last look at `waiting`: a change that comes from now on begins a flush of its own.
    writing = false;
  }

  return {
    refresh: () => {
      isOutOfDate = true;
    },
    settle: async (timeoutMs) => {
      await Promise.race([flushed, pause(timeoutMs, undefined, { ref: false })]);
    },
    commit: <T>(change: Change<T>, signal: AbortSignal) =>
      new Promise<T>((resolve, reject) => {
        let result: T;
        const late = "the time was over before the record was written";
        const giveUp = () => reject(new Fault("api-unavailable", late, { headers: retryAfter({}) }));
        if (signal.aborted) return giveUp();
        if (known && !isOutOfDate) {
          const decided = change(known.entries);
          if (!decided.entries) return resolve(decided.result);
        }
        signal.addEventListener("abort", giveUp, { once: true });
        const end = (settle: () => void) => {
          signal.removeEventListener("abort", giveUp);
          settle();
        };
        waiting.push({
          attempts: 0,
          apply: (entries) => {
            if (signal.aborted) throw signal.reason;
            const changed = change(entries);
            result = changed.result;
            return changed.entries;
          },
          done: () => end(() => resolve(result)),
          fail: (error) => end(() => reject(error)),
        });
        if (!writing) flushed = flush();
      }),
  };
}

/**
 * Reads the record before anybody asks for it, while the first request of a cold start is still on its way: that one finds
 * it read. What fails is tried again when the record is needed, and told then.
 */
export function readAhead(records: RecordStore): void {
  records.commit(() => ({ result: undefined }), new AbortController().signal).catch(() => {});
}

function outrun(cause: unknown): Fault {
  const detail = "other replicas were first to write the record, again and again";
  return new Fault("api-unavailable", detail, { cause, headers: retryAfter({}) });
}

function toKnown(lease: JsonObject): Known {
  const metadata = isJsonObject(lease.metadata) ? lease.metadata : {};
  const text = isJsonObject(metadata.annotations) ? metadata.annotations[annotation] : undefined;
  try {
    return { lease, entries: parseRecord(typeof text === "string" ? text : "") };
  } catch (cause) {
    const detail = `the record in the Lease cannot be read: ${(cause as Error).message}`;
    throw new Fault("api-refused", `${detail}; mend or remove its annotation ${annotation}`, { cause });
  }
}
