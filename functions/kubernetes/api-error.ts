import type { Cluster } from "./cluster.ts";

/** A call that failed. `status` 0: no answer that could be read. */
export type ApiFailure = {
  call: keyof Cluster;
  /** HTTP status of the answer; 0 when there was none, or none that could be read. */
  status: number;
  /** The Status object's `reason`, such as AlreadyExists; "" when there was none. */
  reason: string;
  /** What the API server says, or what went wrong on the way; never headers, never a whole body. */
  message: string;
  /** Seconds, from Retry-After. */
  retryAfterS?: number | undefined;
  /** Whether the call may have taken effect although we saw no success. */
  mayHaveTakenEffect: boolean;
};

/** A failed call to the API server. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly failure: ApiFailure;

  constructor(failure: ApiFailure, cause?: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** Whether the same call can succeed a moment later: no answer, 429, 5xx, or a 409 for a conflict or a lost reason. */
export function isPassing({ status, reason }: ApiFailure): boolean {
  return (
    status === 0 || status === 429 || status >= 500 || (status === 409 && (reason === "Conflict" || reason === ""))
  );
}
