/** A Job as answers name it; `uid` and `createdAt` are null when the Job was made and is gone. */
export type JobRef = { name: string; namespace: string; uid: string | null; createdAt: string | null };

/** How a trigger ended well. */
export type Outcome = { outcome: "created" | "duplicate"; job: JobRef };
