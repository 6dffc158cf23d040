import { setTimeout as pause } from "node:timers/promises";
import { hasEnded } from "./core/decide.ts";
import { readAnnotation } from "./core/job-from-cronjob.ts";
import { jobNameOfSlot } from "./core/job-name.ts";
import type { JobRef, Made } from "./core/outcome.ts";
import { type Entry, entryId, release, settle, toEntryRequest } from "./core/record.ts";
import { createOnce, toJobRef } from "./create-once.ts";
import { Fault, type FaultCode } from "./errors.ts";
import { retryAfter } from "./kubernetes/report-api-errors.ts";
import type { RecordStore } from "./record-store.ts";
import { findJob, type Reserved, type ReserveKeyOptions, reserveKey } from "./reserve-key.ts";

/** A trigger's own deadline leaves this much of the time that callers are promised. */
const releaseWaitMs = 500;
/** So many expired keys are looked at by a trigger where they fill half of the record: after a burst it is to shrink. */
const sweptIfCrowded = 4;
/** A look at another key, which is made beside the create, holds nobody up for longer once that has its answer. */
const sweepWaitMs = 100;
/** A write that was under way when the time was over may take as long as a call; the release comes after it. */
const releaseTimeoutMs = 10_000;

/**
 * Creates the key's Job under a reservation in the record, and remembers it before anybody is told. Each further attempt
 * renews the reservation first: if somebody found our Job meanwhile and told of it, we must not make it again after it
 * was removed. Throws a Fault.
 */
export async function createRecorded(
  options: Omit<ReserveKeyOptions, "reserving"> & { isLate: () => boolean },
): Promise<Made | Exclude<Reserved, { kind: "reserved" }>> {
  const { cluster, records, job, signal } = options;
  let attempt = 0;
  let isReserved = false; // as far as we know
  let isSent = false; // a create of ours that nobody has told the outcome of
  let mayCome = false; // the Job of one that failed
  let replaced: Entry | undefined; // what an earlier delivery left
  let sweeping: Promise<Set<string>> | undefined;
  const isLate = () => {
    const late = options.isLate();
    isSent ||= !late;
    return late;
  };
  const failed = (mayBeThere: boolean) => {
    isSent = false;
    mayCome ||= mayBeThere;
  };
  const reserving = ({ replaced: before }: { replaced: Entry | "ours" | undefined }) => {
    isReserved = true;
    if (before !== "ours") replaced = before;
  };
  const reserve = async () => {
    attempt += 1;
    const reserved = await reserveKey({ ...options, reserving, maker: `${options.maker}.${attempt}` });
    if (reserved.kind !== "reserved") return reserved;
    if (reserved.sweepable.length > 0) sweeping ??= findSwept(reserved.sweepable, options);
    return undefined;
  };
  const giveBack = async (): Promise<void> => {
    const change = (entries: readonly Entry[]) =>
      toChange(release(entries, options, { mayCome: mayCome || isSent, replaced }));
    records.refresh(); // the reservation may be stored without our knowing, or be on its way
    const released = records.commit(change, AbortSignal.timeout(releaseTimeoutMs)).catch(() => undefined);
    await Promise.race([released, pause(releaseWaitMs, undefined, { ref: false })]);
  };
  const again = async () => {
    const reserved = await reserve();
    if (reserved === undefined || reserved.kind === "known") return reserved;
    // Nobody may be told that the key was refused, or joined another Job, when its own may still come.
    if (mayCome)
      throw new Fault("api-unavailable", "a create failed without a clear answer", { headers: retryAfter({}) });
    await giveBack();
    return reserved;
  };

  const other = await reserve().catch(async (error) => {
    if (isReserved) await giveBack();
    throw error;
  });
  if (other && other.kind !== "known" && isReserved) await giveBack();
  if (other) return other;
  const made = await createOnce(cluster, job, signal, { isLate, again, failed }).catch(async (error) => {
    const code = codeOf(error);
    // What has our name keeps every create of ours out; of another request of this key it is the key's Job.
    if (code === "foreign-job") isSent = mayCome = false;
    if (code === "key-reused") {
      mayCome = true;
      await rememberFound(options).catch(giveBack);
    }
    // Our create may be on its way: were the key given up now, its Job could be made, removed and made once more by it.
    else if (code !== "outcome-unknown") await giveBack();
    throw error;
  });
  if ("outcome" in made) {
    const swept = sweeping && (await Promise.race([sweeping, pause(sweepWaitMs, undefined, { ref: false })]));
    await remember(records, options, made.job, signal, swept);
  }
  return made;
}

/**
 * Looks at an expired key beside the create, so that a record that nobody asks `forbid` of does not only grow: each
 * trigger adds a key and takes one, or more where they fill half of the record. Any of them, for some may have Jobs that
 * never end. Resolves with the entryIds of those whose Job has ended or is gone; a look that fails is none.
 */
async function findSwept(
  sweepable: readonly Entry[],
  { cluster, cronJobName, maxKeys, signal }: Pick<ReserveKeyOptions, "cluster" | "cronJobName" | "maxKeys" | "signal">,
): Promise<Set<string>> {
  const from = Math.floor(Math.random() * sweepable.length);
  const around = [...sweepable.slice(from), ...sweepable.slice(0, from)];
  const wanted = around.slice(0, sweepable.length > maxKeys / 2 ? sweptIfCrowded : 1);
  const isOver = ({ slot }: Entry) =>
    findJob(cluster, jobNameOfSlot(cronJobName, slot), signal).then(
      (job) => job === undefined || hasEnded(job),
      () => false,
    );
  const over = await Promise.all(wanted.map(isOver));
  return new Set(wanted.filter((_entry, index) => over[index]).map(entryId));
}

/** Puts the request that made the key's Job in place of ours, which was another one. */
async function rememberFound({
  cluster,
  records,
  job,
  slot,
  signal,
}: Pick<ReserveKeyOptions, "cluster" | "records" | "job" | "slot" | "signal">): Promise<void> {
  const found = await findJob(cluster, toJobRef(job).name, signal);
  const request = found && readAnnotation(found, "requestDigest");
  if (!request) throw new Error("the Job is gone again");
  await remember(records, { slot, request: toEntryRequest(request) }, toJobRef(found), signal);
}

function codeOf(error: unknown): FaultCode | undefined {
  return error instanceof Fault ? error.code : undefined;
}

/**
 * Writes down that the key has made its Job: from then on every delivery is a duplicate; `swept`, entryIds, go with it.
 * Throws a Fault.
 */
export async function remember(
  records: RecordStore,
  own: Pick<Entry, "slot" | "request">,
  job: JobRef,
  signal: AbortSignal,
  swept: ReadonlySet<string> = new Set(),
): Promise<void> {
  const stays = (entry: Entry) => !swept.has(entryId(entry));
  await records.commit((entries) => toChange(settle(entries.filter(stays), own, job, Date.now())), signal);
}

function toChange(entries: Entry[] | undefined): { entries?: Entry[]; result: undefined } {
  return { ...(entries ? { entries } : {}), result: undefined };
}
