/**
 * Who sends a request again after this answer (facts: Knative's SelectiveRetry and sdk-go's defaultRetriableErrors); "-":
 * no event sender ever gets it.
 */
type RetriedBy = "nobody" | "Broker and PingSource" | "all" | "-";

type FaultKind = { status: number; retriedBy: RetriedBy; meaning: string };

/**
 * Every error this function answers with. The code is the tail of the problem's `type`, the meaning its `title`.
 * 500 and 408 are left out on purpose, and 409 is for plain HTTP alone: a PingSource loses the event after them.
 */
export const FAULTS = {
  "malformed-request": { status: 400, retriedBy: "nobody", meaning: "The request cannot be read" },
  "malformed-event": { status: 400, retriedBy: "nobody", meaning: "The request is meant as a CloudEvent but is none" },
  "not-an-event": { status: 400, retriedBy: "nobody", meaning: "This path takes CloudEvents only" },
  unauthenticated: { status: 401, retriedBy: "nobody", meaning: "No credential, or one that is not good" },
  "not-allowed": { status: 403, retriedBy: "nobody", meaning: "The caller is known but not in the list for this" },
  "cronjob-not-found": { status: 404, retriedBy: "Broker and PingSource", meaning: "The CronJob does not exist" },
  "job-not-found": { status: 404, retriedBy: "-", meaning: "This CronJob has no such Job, or has it no more" },
  "no-log-yet": { status: 404, retriedBy: "-", meaning: "The Job has no log yet" },
  "no-log": { status: 404, retriedBy: "-", meaning: "The Job has ended, and there is no log of it" },
  "route-not-found": { status: 404, retriedBy: "Broker and PingSource", meaning: "There is nothing at this path" },
  "method-not-allowed": { status: 405, retriedBy: "nobody", meaning: "This path does not take this method" },
  refused: { status: 409, retriedBy: "nobody", meaning: "The policy refuses a run now" },
  "body-too-large": { status: 413, retriedBy: "nobody", meaning: "The body is larger than the limit" },
  "unsupported-media-type": { status: 415, retriedBy: "nobody", meaning: "The body is of a type we do not read" },
  "invalid-field": {
    status: 422,
    retriedBy: "nobody",
    meaning: "A field of the request is unknown or has a wrong value",
  },
  "key-reused": { status: 422, retriedBy: "nobody", meaning: "This key was used before, for another request" },
  "headers-too-large": { status: 431, retriedBy: "nobody", meaning: "The request's headers are larger than the limit" },
  "component-missing": {
    status: 501,
    retriedBy: "-",
    meaning: "The component that grants the rights of this route is not installed",
  },
  "api-refused": { status: 502, retriedBy: "all", meaning: "The Kubernetes API server refuses what we ask" },
  "foreign-job": { status: 502, retriedBy: "all", meaning: "A Job that is not ours has the name that this key needs" },
  "api-unavailable": { status: 503, retriedBy: "all", meaning: "The Kubernetes API server does not serve us now" },
  "policy-missing": {
    status: 503,
    retriedBy: "all",
    meaning: "REQUIRE_POLICY is true and the clone-only policy is not enforced",
  },
  "quota-conflict": { status: 503, retriedBy: "all", meaning: "A ResourceQuota was changing; no Job was created" },
  "in-flight": { status: 503, retriedBy: "all", meaning: "Another trigger is just about to create its Job" },
  "record-full": {
    status: 503,
    retriedBy: "all",
    meaning: "The record of keys is full until one expires and its Job has ended",
  },
  overloaded: { status: 503, retriedBy: "all", meaning: "This instance has as many requests at work as it takes" },
  "shutting-down": { status: 503, retriedBy: "all", meaning: "This instance is ending; another one will answer" },
  "internal-error": {
    status: 503,
    retriedBy: "all",
    meaning: "An error of our own; the log has it under the request id",
  },
  "outcome-unknown": {
    status: 504,
    retriedBy: "all",
    meaning: "The time is over and nobody knows whether a Job was made",
  },
} as const satisfies Record<string, FaultKind>;

export type FaultCode = keyof typeof FAULTS;

/** An error with an answer of its own: `detail` goes to the caller and the log, `cause` to the log alone. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  /** Headers that the answer needs, such as `Allow` or `Retry-After` (seconds). */
  readonly headers: Record<string, string>;
  /** Further members of the problem document (RFC 9457, section 3.2). */
  readonly members: Record<string, unknown>;

  constructor(code: FaultCode, detail: string, options: FaultOptions = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

type FaultOptions = { cause?: unknown; headers?: Record<string, string>; members?: Record<string, unknown> };

/** An error as a Fault: what is none already is a defect of ours, which tells the caller nothing but where to look. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault("internal-error", "unexpected error; see the log line with this request id", { cause: error });
}
