/** A Job as answers name it; `uid` and `createdAt` are null when the Job was made and is gone. */
export type JobRef = { name: string; namespace: string; uid: string | null; createdAt: string | null };

/** The key has its Job: made now, or before. */
export type Made = { outcome: "created" | "duplicate"; job: JobRef };

/** Why no Job was made, for counting: few values, none with a name in it. */
export type Cause = "unfinished-job" | "recent-success" | "suspended";

/** How a trigger ended well; `reason` says in words why no Job was made. */
export type Outcome =
  | Made
  | { outcome: "joined" | "refused"; job: JobRef; reason: string; cause: Cause }
  | { outcome: "skipped" | "refused"; job: null; reason: string; cause: Cause };
