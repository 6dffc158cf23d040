import { setTimeout as pause } from "node:timers/promises";
import { readAnnotation } from "./core/job-from-cronjob.ts";
import type { JobRef, Made } from "./core/outcome.ts";
import { type Entry, release, settle, toEntryRequest } from "./core/record.ts";
import { createOnce, toJobRef } from "./create-once.ts";
import { Fault, type FaultCode } from "./errors.ts";
import { retryAfter } from "./kubernetes/report-api-errors.ts";
import type { RecordStore } from "./record-store.ts";
import { findJob, type Reserved, type ReserveKeyOptions, reserveKey } from "./reserve-key.ts";

/** After these the API server surely has no Job of ours from this create. */
const surelyNotMade: readonly FaultCode[] = ["api-refused", "quota-conflict", "foreign-job"];
/** A trigger's own deadline leaves this much of the time that callers are promised. */
const releaseWaitMs = 500;
/** A write that was under way when the time was over may take as long as a call; the release comes after it. */
const releaseTimeoutMs = 10_000;

/**
 * Creates the key's Job under a reservation in the record, and remembers it before anybody is told. Each further attempt
 * renews the reservation first: if somebody found our Job meanwhile and told of it, we must not make it again after it
 * was removed. Throws a Fault.
 */
export async function createRecorded(
  options: ReserveKeyOptions & { isLate: () => boolean },
): Promise<Made | Exclude<Reserved, { kind: "reserved" }>> {
  const { cluster, records, job, signal } = options;
  let attempt = 0;
  let isSent = false; // a create of ours
  let mayCome = false; // and one before the last may have taken effect after all
  const isLate = () => {
    const late = options.isLate();
    isSent ||= !late;
    return late;
  };
  const reserve = async () => {
    attempt += 1;
    const reserved = await reserveKey({ ...options, maker: `${options.maker}.${attempt}` });
    return reserved.kind === "reserved" ? undefined : reserved;
  };
  const giveBack = async (isPossible: boolean): Promise<void> => {
    const change = (entries: readonly Entry[]) => toChange(release(entries, options, { mayCome: isPossible }));
    const released = records.commit(change, AbortSignal.timeout(releaseTimeoutMs)).catch(() => undefined);
    await Promise.race([released, pause(releaseWaitMs, undefined, { ref: false })]);
  };
  const again = async (mayHaveTakenEffect: boolean) => {
    mayCome ||= mayHaveTakenEffect;
    const reserved = await reserve();
    if (reserved === undefined || reserved.kind === "known") return reserved;
    // Nobody may be told that the key was refused, or joined another Job, when its own may still come.
    if (mayCome)
      throw new Fault("api-unavailable", "a create failed without a clear answer", { headers: retryAfter({}) });
    await giveBack(false);
    return reserved;
  };

  const other = await reserve().catch(async (error) => {
    // Nothing was sent, but the reservation may be stored all the same.
    if (signal.aborted || codeOf(error) === "api-unavailable") await giveBack(false);
    throw error;
  });
  if (other) return other;
  const made = await createOnce(cluster, job, signal, { isLate, again }).catch(async (error) => {
    const code = codeOf(error);
    if (code === "key-reused") await rememberFound(options).catch(() => giveBack(true));
    // Our create may be on its way: were the key given up now, its Job could be made, removed and made once more by it.
    else if (code !== "outcome-unknown") await giveBack(mayCome || (isSent && !(code && surelyNotMade.includes(code))));
    throw error;
  });
  if ("outcome" in made) await remember(records, options, made.job, signal);
  return made;
}

/** Puts the request that made the key's Job in place of ours, which was another one. */
async function rememberFound({ cluster, records, job, slot, signal }: ReserveKeyOptions): Promise<void> {
  const found = await findJob(cluster, toJobRef(job).name, signal);
  const request = found && readAnnotation(found, "requestDigest");
  if (!request) throw new Error("the Job is gone again");
  await remember(records, { slot, request: toEntryRequest(request) }, toJobRef(found), signal);
}

function codeOf(error: unknown): FaultCode | undefined {
  return error instanceof Fault ? error.code : undefined;
}

/** Writes down that the key has made its Job: from then on every delivery is a duplicate. Throws a Fault. */
export async function remember(
  records: RecordStore,
  own: Pick<Entry, "slot" | "request">,
  job: JobRef,
  signal: AbortSignal,
): Promise<void> {
  await records.commit((entries) => toChange(settle(entries, own, job, Date.now())), signal);
}

function toChange(entries: Entry[] | undefined): { entries?: Entry[]; result: undefined } {
  return { ...(entries ? { entries } : {}), result: undefined };
}
