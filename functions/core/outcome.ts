/** A Job as answers name it; `uid` and `createdAt` are null when the Job was made and is gone. */
export type JobRef = { name: string; namespace: string; uid: string | null; createdAt: string | null };

/** The key has its Job: made now, or before. */
export type Made = { outcome: "created" | "duplicate"; job: JobRef };

/** How a trigger ended well. */
export type Outcome =
  | Made
  | { outcome: "joined" | "refused"; job: JobRef; reason: string }
  | { outcome: "skipped" | "refused"; job: null; reason: string };
