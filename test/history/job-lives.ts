import type { HistoryEntry, JobSeen, Policy } from "./history.ts";

/**
 * A Job from its creation to its end. Revisions order Jobs exactly; where the watch had a gap they bound a span that
 * the Job surely lived through. Wall times bound it from outside: `createdAtMs` is not later than the creation,
 * `endedAtMs` and `removedAtMs` not earlier than the end and the removal: an end that the run itself wrote was there
 * when that was answered, whenever the watch told of it. Never ended or removed: Infinity.
 */
export type JobLife = {
  uid: string;
  name: string;
  key: string | undefined;
  /** The policy of the request that made it, where that had its own. */
  onOverlap: Policy | undefined;
  keyDigest: string | undefined;
  createdAtMs: number;
  seenAtMs: number;
  createdRevision: number;
  endedRevision: number;
  endedAtMs: number;
  removedRevision: number;
  removedAtMs: number;
  /** When a person's delete was sent: not later than the removal. Infinity when none was. */
  removalSentAtMs: number;
};

/** The life of every Job in a history, in the order of their creation. */
export function toJobLives(history: readonly HistoryEntry[]): JobLife[] {
  const lives = new Map<string, JobLife & { lastRevision: number }>();
  const seen = history.filter((entry) => entry.kind === "job");
  for (const entry of seen) {
    const life = lives.get(entry.uid) ?? begin(entry);
    lives.set(entry.uid, life);
    const isGone = entry.change === "deleted" || entry.change === "vanished";
    // Of a Job that vanished in a gap only its last sighting is certain.
    const revision = entry.change === "vanished" ? life.lastRevision : entry.revision;
    if ((entry.hasEnded || isGone) && life.endedAtMs === Infinity) {
      life.endedRevision = revision;
      life.endedAtMs = entry.atMs;
    }
    if (isGone) Object.assign(life, { removedRevision: entry.revision, removedAtMs: entry.atMs });
    life.lastRevision = entry.revision;
  }
  for (const entry of history) {
    if (entry.kind !== "removal" && entry.kind !== "end") continue;
    const life = lives.get(entry.uid);
    if (!life) continue;
    const field = entry.kind === "end" ? "endedAtMs" : "removalSentAtMs";
    life[field] = Math.min(life[field], entry.atMs);
  }
  return [...lives.values()].sort((a, b) => a.createdRevision - b.createdRevision);
}

function begin({ uid, name, key, onOverlap, keyDigest, createdAtMs, atMs, revision }: JobSeen) {
  return {
    ...{ uid, name, key, onOverlap, keyDigest, createdAtMs, seenAtMs: atMs },
    ...{ createdRevision: revision, lastRevision: revision },
    ...{ endedRevision: Infinity, endedAtMs: Infinity },
    ...{ removedRevision: Infinity, removedAtMs: Infinity, removalSentAtMs: Infinity },
  };
}
