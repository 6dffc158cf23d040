import { setTimeout as pause } from "node:timers/promises";
import { activeJobNames, hasEnded, type Verdict } from "./core/decide.ts";
import { jobNameOfSlot } from "./core/job-name.ts";
import type { JsonObject } from "./core/json.ts";
import type { JobRef } from "./core/outcome.ts";
import { type Entry, entryId, type Look, type Reservation, reserve } from "./core/record.ts";
import { recognise, toJobRef } from "./create-once.ts";
import { Fault } from "./errors.ts";
import { ApiError } from "./kubernetes/api-error.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { retryAfter, toApiFault } from "./kubernetes/report-api-errors.ts";
import type { RecordStore } from "./record-store.ts";

/** The key may create its Job, has one already, another Job is in the way, or has just made this one needless. */
export type Reserved =
  | { kind: "reserved"; sweepable: readonly Entry[] }
  | { kind: "known"; entry: Entry }
  | { kind: "overlap"; job: JobRef }
  | { kind: "needless"; verdict: Verdict };

/** What a key is reserved for, and where. */
export type ReserveKeyOptions = {
  cluster: Cluster;
  records: RecordStore;
  cronJob: JsonObject;
  /** When that was read, by the monotonic clock; ms. */
  cronJobReadAtMs: number;
  readCronJob: () => Promise<JsonObject>;
  /** Decides by the CronJob; undefined: a run is wanted. */
  judgeCronJob: (cronJob: JsonObject) => Verdict | undefined;
  /** The Job that is to be created. */
  job: JsonObject;
  cronJobName: string;
  slot: string;
  request: string;
  maker: string;
  /** Called before a reservation is stored: from then on it may be there, whatever is answered or thrown. */
  reserving: (what: { replaced: Entry | "ours" | undefined }) => void;
  exclusive: boolean;
  /** Decides by another Job that has ended; undefined: this one is wanted all the same. */
  judge: (ended: JsonObject) => Verdict | undefined;
  windowMs: number;
  maxKeys: number;
  signal: AbortSignal;
};

/** How long we wait for the Job of another trigger that is about to create it, before we ask the caller to come back. */
const inFlightMs = 3_000;
/** A CronJob that was read longer ago says too little of what the schedule has started. */
const cronJobGoodForMs = 2_000;
const lookPausesMs = [50, 100, 200, 400];
const looksAtOnce = 16;
const absent: Look = { state: "absent" };

/**
 * Reserves a key in the record. With `exclusive`, first every Job that may be unfinished is looked at by name, the newest
 * first: those of the record and those that the CronJob's status calls active. Only then, and only if the record is still
 * the one that was decided on, is the reservation stored. Throws a Fault.
 */
export async function reserveKey(options: ReserveKeyOptions): Promise<Reserved> {
  const { cluster, records, cronJobName, exclusive, signal } = options;
  let needless: Verdict | undefined;
  const looks = new Map<string, Look>();
  const wait = createPatience(signal);
  let isRefreshed = false;
  const isOutOfDate = () => exclusive && performance.now() - options.cronJobReadAtMs > cronJobGoodForMs;
  const change = (entries: readonly Entry[]) => {
    const result = reserve(entries, { ...options, looks, nowMs: Date.now() });
    if (result.kind === "reserved") options.reserving(result);
    return toChange(result);
  };
  const standing = exclusive && (await standingOf(options.cronJob));
  if (standing) return standing;
  for (;;) {
    const reservation = await records.commit(change, signal);
    switch (reservation.kind) {
      case "reserved":
        // What it waited for, and the write, may have taken their time.
        return (isOutOfDate() && (await standingOf(await options.readCronJob()))) || reservation;
      case "known":
      case "overlap":
        return reservation;
      case "full":
        // What we last knew may be out of date: another replica, or a person, may have made room.
        if (isRefreshed) throw recordFull(reservation.freeAtMs);
        isRefreshed = true;
        records.refresh();
        break;
      case "in-flight":
        await wait(jobNameOfSlot(cronJobName, reservation.entry.slot));
        records.refresh();
        await look([reservation.entry]);
        break;
      case "look":
        await look(reservation.wanted).catch((error) => {
          throw exclusive && signal.aborted ? tooManyLooks(error) : error;
        });
        if (needless) return { kind: "needless", verdict: needless };
    }
  }

  /** What is against a run by the CronJob itself and the scheduled Jobs that it calls active. */
  async function standingOf(current: JsonObject): Promise<Reserved | undefined> {
    const judged = options.judgeCronJob(current);
    if (judged) return { kind: "needless", verdict: judged };
    for (const name of activeJobNames(current)) {
      const job = await findJob(cluster, name, signal);
      if (job && !hasEnded(job)) return { kind: "overlap", job: toJobRef(job) };
      const verdict = job && options.judge(job);
      if (verdict) return { kind: "needless", verdict };
    }
    return undefined;
  }

  async function look(entries: Entry[]): Promise<void> {
    const left = [...entries];
    const one = async () => {
      for (let entry = left.pop(); entry; entry = left.pop()) {
        const job = await findJob(cluster, jobNameOfSlot(cronJobName, entry.slot), signal).catch((error) => {
          left.length = 0;
          throw error;
        });
        // Under our own name only a Job of our own key counts.
        if (job && entry.slot === options.slot) recognise(options.job, job);
        const isUnfinished = job !== undefined && !hasEnded(job);
        if (job && !isUnfinished && entry.slot !== options.slot) needless ??= options.judge(job);
        looks.set(entryId(entry), job ? { state: isUnfinished ? "unfinished" : "ended", job: toJobRef(job) } : absent);
        if (exclusive && isUnfinished) left.length = 0; // one decides
      }
    };
    await Promise.all(Array.from({ length: Math.min(looksAtOnce, left.length) }, one));
  }
}

/**
 * The pauses between looks at a Job that another trigger is about to create: each call is one. Throws a Fault
 * when three seconds are over, or nobody waits any more.
 */
export function createPatience(signal: AbortSignal): (jobName: string) => Promise<void> {
  const endsAtMs = performance.now() + inFlightMs;
  let waits = 0;
  return async (name) => {
    if (performance.now() > endsAtMs || signal.aborted) throw inFlight(name);
    await pause(lookPausesMs[waits] ?? lookPausesMs.at(-1));
    waits += 1;
  };
}

/** A Job by name; undefined when there is none. Throws a Fault. */
export async function findJob(cluster: Cluster, name: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return await cluster.getJob(name, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.failure.status === 404) return undefined;
    throw toApiFault(error);
  }
}

function toChange(result: Reservation): { entries?: Entry[]; result: Reservation } {
  return "entries" in result && result.entries ? { entries: result.entries, result } : { result };
}

function recordFull(freeAtMs: number): Fault {
  const seconds = Math.max(1, Math.ceil((freeAtMs - Date.now()) / 1_000));
  return new Fault("record-full", `the record holds DEDUPE_MAX_KEYS keys; come back in ${seconds} s`, {
    headers: { "Retry-After": String(seconds) },
  });
}

function tooManyLooks(cause: unknown): Fault {
  const detail = "the time was over before the Job of every earlier key was looked at; repeat: it goes on from there";
  return new Fault("api-unavailable", detail, { cause, headers: retryAfter({}) });
}

function inFlight(name: string): Fault {
  return new Fault("in-flight", `Job ${name} was about to be created and is not there yet`, {
    headers: { "Retry-After": "2" },
  });
}
