import { requestDigest } from "../../functions/core/key.ts";
import type { Entry } from "../../functions/core/record.ts";
import { made, name } from "./prepare-trigger.ts";

/** The setting that remembers keys for an hour. */
export const window = { dedupeWindowMs: 3_600_000 };

/** The entry of the one key of the trigger tests: done a minute ago, where nothing else is said. */
export const entry = (more: Partial<Entry> = {}): Entry => ({
  slot: name.slice("sync-".length),
  state: "done",
  atMs: Date.now() - 60_000,
  request: requestDigest({ onOverlap: "allow" }).slice(0, 6),
  uid: "job-uid",
  ...more,
});

/** Another key's. */
export const other = (more: Partial<Entry> = {}): Entry =>
  entry({ slot: `m${"a".repeat(17)}`, uid: "other-uid", ...more });

/** The Job of that one, unfinished. */
export const running = {
  metadata: { name: "x", namespace: "n", uid: "other-uid", creationTimestamp: made.createdAt },
};

/** A Job that the schedule started, unfinished; `active` is what the CronJob's status says of it. */
export const scheduled = {
  metadata: { name: "sync-29", namespace: "n", uid: "s", creationTimestamp: made.createdAt },
};
export const active = [{ name: "sync-29" }];
