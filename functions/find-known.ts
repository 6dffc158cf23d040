import type { JsonObject } from "./core/json.ts";
import type { Made } from "./core/outcome.ts";
import { type Entry, isInFlight, isRemembered, toKnownJob } from "./core/record.ts";
import { keyReused, recognise } from "./create-once.ts";
import { remember } from "./create-recorded.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import type { RecordStore } from "./record-store.ts";
import { createPatience, findJob } from "./reserve-key.ts";

/** A key, and where it may be known. */
export type KnownKeyOptions = {
  cluster: Cluster;
  /** undefined: no record is in use. */
  records: RecordStore | undefined;
  namespace: string;
  /** The name of the key's Job. */
  name: string;
  slot: string;
  /** The digits of the request digest that the record keeps. */
  request: string;
  /** Who asks: a reservation of its own is no other delivery's. */
  maker: string;
  windowMs: number;
  signal: AbortSignal;
};

/** The answer to a key that is remembered; undefined: it is not, as far as this process knows. Throws a Fault. */
export async function findRemembered(options: KnownKeyOptions): Promise<Made | undefined> {
  return toRemembered(await findEntry(options), options);
}

/**
 * What the key has made after all, asked before it is told that it makes nothing: by the record as it is stored now, which
 * another replica may have written, else by its Job's name; from then on that is remembered. While another delivery of
 * the key may be creating its Job nobody can tell: that is waited for, and then a Fault.
 */
export async function findKnown(job: JsonObject, options: KnownKeyOptions): Promise<Made | undefined> {
  const { cluster, records, name, maker, signal } = options;
  const wait = createPatience(signal);
  for (;;) {
    records?.refresh();
    const entry = await findEntry(options);
    const remembered = toRemembered(entry, options);
    if (remembered) return remembered;
    const found = await findJob(cluster, name, signal);
    const made = found && recognise(job, found);
    if (made && records) await remember(records, options, made.job, signal);
    if (made || !entry || !isInFlight(entry, { maker, nowMs: Date.now() })) return made;
    await wait(name);
  }
}

/** The answer to a key that the record knows. Throws a Fault where it made its Job with other parameters. */
export function toDuplicate(
  entry: Entry,
  { name, namespace, request }: Pick<KnownKeyOptions, "name" | "namespace" | "request">,
): Made {
  if (entry.request !== request) throw keyReused(`${namespace}/${name}`);
  return { outcome: "duplicate", job: toKnownJob(entry, name, namespace) };
}

function toRemembered(entry: Entry | undefined, options: KnownKeyOptions): Made | undefined {
  const isKnown = entry !== undefined && isRemembered(entry, Date.now(), options.windowMs);
  return isKnown ? toDuplicate(entry, options) : undefined;
}

async function findEntry({ records, slot, signal }: KnownKeyOptions): Promise<Entry | undefined> {
  return records?.commit((entries) => ({ result: entries.find((entry) => entry.slot === slot) }), signal);
}
