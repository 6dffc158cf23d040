import type { JobRef } from "./outcome.ts";

/**
 * What the record knows of a key. `pending`: somebody is about to create its Job, or died before saying so; `done`: the
 * Job was created; `ended`: and has ended or is gone.
 */
type EntryState = "pending" | "done" | "ended";

/** One key in the record. */
export type Entry = {
  /** The part of the Job's name that is made from the key. */
  slot: string;
  state: EntryState;
  /** When the Job was created; of a pending key: when it was reserved. Milliseconds since the epoch, whole seconds. */
  atMs: number;
  /** The first digits of the request digest. */
  request: string;
  /**
   * The Job's uid; "-" when it was gone before anybody saw it. Of a pending key its maker and, behind a dot, the maker's
   * attempt; "-" when the maker gave up.
   */
  uid: string;
};

/** A key's Job as a look by name found it; `absent`: no such Job. */
export type Look = { state: "unfinished" | "ended"; job: JobRef } | { state: "absent" };

/** How long a reserved key without a Job may still be on its way: longer than any trigger lives, frozen ones included. */
const reservationGraceMs = 90_000;
/**
 * How long a reserved key belongs to its maker alone: longer than any trigger and its last create on the way. Did another
 * delivery create the Job meanwhile and the Job were removed again, the maker's own create would make a second one, even
 * after the maker was answered 504.
 */
const makerGraceMs = 30_000;
/** Where the record is full, expired keys whose Job may still run are looked at in lots of this many until one has ended. */
const sweptIfFull = 16;
/** So many Jobs are looked at before what was seen is written down: who runs out of time has not looked in vain. */
const lookedAtOnce = 256;
/** An expired key has its place until its Job has ended, nobody knows when. */
const leastFullMs = 60_000;
const requestDigits = 6;
const letters = { P: "pending", D: "done", E: "ended" } as const;

/** The digits of a request digest that an entry keeps. */
export function toEntryRequest(requestDigest: string): string {
  return requestDigest.slice(0, requestDigits);
}

/**
 * Reads the record: a line for each key, oldest first, `SLOT P|D|E TIME REQUEST UID`. Throws an Error naming the line:
 * a record that cannot be read must not be taken for an empty one.
 */
export function parseRecord(text: string): Entry[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, index) => {
      const [slot, letter, time, request, uid, ...rest] = line.trim().split(" ");
      const state = letters[letter as keyof typeof letters];
      const atMs = parseTimeMs(time ?? "");
      if (!slot || !state || !request || !uid || rest.length > 0 || Number.isNaN(atMs)) {
        throw new Error(`line ${index + 1} of the record is no "SLOT P|D|E TIME REQUEST UID"`);
      }
      return { slot, state, atMs, request, uid };
    });
}

/** The record as text: at most 82 bytes a key, so that 3,000 keys fit the 256 KiB that annotations may have. */
export function formatRecord(entries: readonly Entry[]): string {
  const line = ({ slot, state, atMs, request, uid }: Entry) =>
    `${slot} ${state.charAt(0).toUpperCase()} ${formatTime(atMs)} ${request} ${uid}\n`;
  return entries.map(line).join("");
}

/** An entry's identity for looks: when it changes, what was seen before no longer counts. */
export function entryId({ slot, state, uid, atMs }: Entry): string {
  return `${slot} ${state} ${uid} ${atMs}`;
}

/** What reserving a key came to; `entries` is the record to be stored before that may be acted on. */
export type Reservation =
  /**
   * `sweepable`: expired keys of others that stay only because nobody has looked whether their Job has ended. `replaced`:
   * the entry that the key had until now, of another delivery or "ours".
   */
  | { kind: "reserved"; entries: Entry[]; sweepable: Entry[]; replaced: Entry | "ours" | undefined }
  | { kind: "known"; entry: Entry; entries?: Entry[] }
  /** `wanted` has the oldest first. */
  | { kind: "look"; wanted: Entry[]; entries?: Entry[] }
  | { kind: "overlap"; job: JobRef; entries?: Entry[] }
  | { kind: "in-flight"; entry: Entry }
  | { kind: "full"; freeAtMs: number };

/** What a reservation is decided from. */
export type ReserveOptions = {
  slot: string;
  request: string;
  /** Who asks, and behind a dot which attempt it is. */
  maker: string;
  /** Whether an unfinished Job of another key stands in the way. */
  exclusive: boolean;
  /** What was seen of Jobs, by entryId. */
  looks: ReadonlyMap<string, Look>;
  nowMs: number;
  /** 0: keys are kept only while their Job may be unfinished. */
  windowMs: number;
  maxKeys: number;
};

/**
 * Decides whether a key may create its Job, and marks it as about to. A pending key of our own is taken over when its
 * maker gave up or must be dead; before that it is its maker's, and known as soon as its Job is there.
 */
export function reserve(record: readonly Entry[], options: ReserveOptions): Reservation {
  const { slot, exclusive, looks, nowMs, windowMs, maxKeys } = options;
  const isExpired = ({ atMs }: Entry) => nowMs - atMs >= windowMs;
  const seen = (entry: Entry) => looks.get(entryId(entry));
  const own = record.find((entry) => entry.slot === slot);
  if (own && isRemembered(own, nowMs, windowMs)) return { kind: "known", entry: own };
  if (own?.state === "done" && windowMs === 0) {
    const look = seen(own);
    if (!look) return { kind: "look", wanted: [own] };
    if (look.state !== "absent") return { kind: "known", entry: own };
  }
  if (own?.state === "pending" && !isFree(own, options)) {
    const look = seen(own);
    if (!look) return { kind: "look", wanted: [own] };
    if (look.state === "absent") return { kind: "in-flight", entry: own };
    const entries = settle(record, options, look.job, nowMs);
    return { kind: "known", entry: entries.at(-1) ?? own, entries };
  }

  const open = record.filter((entry) => entry !== own && entry.state !== "ended");
  const isFresh = ({ atMs }: Entry) => nowMs - atMs < reservationGraceMs;
  const isUnderWay = (entry: Entry) => entry.state === "pending" && seen(entry)?.state === "absent" && isFresh(entry);
  const toSettled = (entry: Entry): Entry[] => {
    if (entry === own) return [entry];
    if (entry.state === "ended") return isExpired(entry) ? [] : [entry];
    // An expired key whose Job may still run is kept for the sake of other keys, until somebody saw that it does not.
    const look = seen(entry);
    if (!look || look.state === "unfinished" || isUnderWay(entry)) return [entry];
    if (isExpired(entry)) return [];
    if (entry.state === "done") return [{ ...entry, state: "ended" }];
    // A reservation whose Job never came is as if it had never been: its redelivery starts anew.
    return look.state === "absent" ? [] : [{ ...toMade(entry, look.job, nowMs), state: "ended" }];
  };
  const settled = record.flatMap(toSettled);
  const left = new Set(settled);
  const progress = open.every((entry) => left.has(entry)) ? {} : { entries: settled };

  const unfinished = open.map(seen).findLast((look) => look?.state === "unfinished");
  if (exclusive && unfinished?.state === "unfinished") return { kind: "overlap", job: unfinished.job, ...progress };
  const unseen = exclusive ? open.filter((entry) => !seen(entry)) : [];
  if (unseen.length > 0) return { kind: "look", wanted: unseen.slice(-lookedAtOnce), ...progress };
  const inFlight = open.find(isUnderWay);
  if (exclusive && inFlight) return { kind: "in-flight", entry: inFlight };

  const others = settled.filter((entry) => entry !== own);
  if (!own && others.length >= maxKeys) {
    const mayHaveEnded = open.filter((entry) => isExpired(entry) && !seen(entry));
    if (mayHaveEnded.length > 0) return { kind: "look", wanted: mayHaveEnded.slice(0, sweptIfFull), ...progress };
    const freeAtMs = (entry: Entry) => (isExpired(entry) ? nowMs + leastFullMs : entry.atMs + windowMs);
    return { kind: "full", freeAtMs: Math.min(...others.map(freeAtMs)) };
  }
  const { request, maker } = options;
  const reserved: Entry = { slot, state: "pending", atMs: floorToSecond(nowMs), request, uid: maker };
  const isSweepable = (entry: Entry) => isExpired(entry) && !seen(entry) && (entry.state === "done" || !isFresh(entry));
  const replaced = own && isOf(own, maker) ? "ours" : own;
  return { kind: "reserved", entries: [...others, reserved], sweepable: others.filter(isSweepable), replaced };
}

/** The record after a key's Job was created or found; `job` without uid: it was there and is gone. */
export function settle(
  record: readonly Entry[],
  own: Pick<Entry, "slot" | "request">,
  job: JobRef,
  nowMs: number,
): Entry[] {
  return [...record.filter(({ slot }) => slot !== own.slot), toMade(own, job, nowMs)];
}

/**
 * The record after a maker gave its reservation up; undefined when that is no longer its own. Where its Job
 * may still come the key stays in others' way, but its next delivery may go on at once; else what it replaced is as it
 * was, with its old time: an earlier delivery's Job may be there.
 */
export function release(
  record: readonly Entry[],
  { slot, maker }: Pick<ReserveOptions, "slot" | "maker">,
  { mayCome, replaced }: { mayCome: boolean; replaced?: Entry | undefined },
): Entry[] | undefined {
  const own = record.find((entry) => entry.slot === slot && entry.state === "pending" && isOf(entry, maker));
  if (!own) return undefined;
  const left = mayCome ? { ...own, uid: "-" } : replaced;
  return record.flatMap((entry) => (entry !== own ? [entry] : left ? [left] : []));
}

/** The key's Job as the record knows it. */
export function toKnownJob({ uid, atMs }: Entry, name: string, namespace: string): JobRef {
  const gone = uid === "-";
  const createdAt = new Date(atMs).toISOString().replace(".000Z", "Z");
  return { name, namespace, uid: gone ? null : uid, createdAt: gone ? null : createdAt };
}

/**
 * Whether a key is known to have made its Job, whatever became of that; without a window only a look can tell, also where
 * the API server's clock, which the time of a Job is from, is ahead of ours.
 */
export function isRemembered({ state, atMs }: Entry, nowMs: number, windowMs: number): boolean {
  return state !== "pending" && windowMs > 0 && nowMs - atMs < windowMs;
}

/** Whether another delivery of the key may be creating its Job: nobody may be told yet that the key makes none. */
export function isInFlight(entry: Entry, { maker, nowMs }: Pick<ReserveOptions, "maker" | "nowMs">): boolean {
  return entry.state === "pending" && !isOf(entry, maker) && nowMs - entry.atMs < makerGraceMs;
}

function toMade({ slot, request }: Pick<Entry, "slot" | "request">, job: JobRef, nowMs: number): Entry {
  const atMs = job.createdAt === null ? floorToSecond(nowMs) : Date.parse(job.createdAt);
  return { slot, request, state: job.uid === null ? "ended" : "done", atMs, uid: job.uid ?? "-" };
}

/** Whether a pending key may be created by whoever asks: its maker itself, or anybody once the maker is out. */
function isFree(entry: Entry, { maker, nowMs }: ReserveOptions): boolean {
  return entry.uid === "-" || isOf(entry, maker) || nowMs - entry.atMs >= makerGraceMs;
}

function isOf({ uid }: Entry, maker: string): boolean {
  return uid.split(".")[0] === maker.split(".")[0];
}

function floorToSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}

/** ISO 8601 in its basic form, such as 20261123T210000Z: four bytes a key shorter. */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
}

function parseTimeMs(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
