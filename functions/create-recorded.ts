import { setTimeout as pause } from "node:timers/promises";
import type { JobRef, Made } from "./core/outcome.ts";
import { type Entry, release, settle } from "./core/record.ts";
import { createOnce } from "./create-once.ts";
import { Fault, type FaultCode } from "./errors.ts";
import type { RecordStore } from "./record-store.ts";
import { type Reserved, type ReserveKeyOptions, reserveKey } from "./reserve-key.ts";

/** After these the API server surely has no Job of ours under the name. */
const surelyNotMade: readonly FaultCode[] = ["api-refused", "quota-conflict", "foreign-job", "key-reused"];
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
  const { cluster, records, job, signal, isLate } = options;
  let attempt = 0;
  const reserve = async () => {
    attempt += 1;
    const reserved = await reserveKey({ ...options, maker: `${options.maker}.${attempt}` });
    return reserved.kind === "reserved" ? undefined : reserved;
  };
  const giveBack = async (error: unknown, mayCome: boolean): Promise<never> => {
    const change = (entries: readonly Entry[]) => toChange(release(entries, options, { mayCome }));
    const released = records.commit(change, AbortSignal.timeout(releaseTimeoutMs)).catch(() => undefined);
    await Promise.race([released, pause(releaseWaitMs, undefined, { ref: false })]);
    throw error;
  };
  // Late, the reservation may be stored all the same, and nothing was sent.
  const other = await reserve().catch((error) => (signal.aborted ? giveBack(error, false) : Promise.reject(error)));
  if (other) return other;
  const made = await createOnce(cluster, job, signal, { isLate, again: reserve }).catch((error) => {
    const code = error instanceof Fault ? error.code : undefined;
    // Our create may be on its way: were the key given up now, its Job could be made, removed and made once more by it.
    if (code === "outcome-unknown") throw error;
    return giveBack(error, !(code && surelyNotMade.includes(code)));
  });
  if ("outcome" in made) await remember(records, options, made.job, signal);
  return made;
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
