import type { Attempt, HistoryEntry, Policy } from "./history.ts";
import { type JobLife, toJobLives } from "./job-lives.ts";
import { type Span, toSpans } from "./record-spans.ts";

/** What was promised in the run. */
export type Promised = {
  policy: Policy;
  /** Whether DEDUPE_WINDOW, longer than the run, was set; without it a key is known only as long as its Job exists. */
  isRemembered: boolean;
};

/** A broken promise: the rule's name and what shows it. */
export type Violation = { rule: string; detail: string };

/** A history laid out for the rules. */
export type Case = {
  promised: Promised;
  history: readonly HistoryEntry[];
  attempts: Attempt[];
  lives: JobLife[];
  lifeOf: Map<string, JobLife>;
  /** By key, as the client gave it. */
  attemptsOf: Map<string, Attempt[]>;
  livesOf: Map<string, JobLife[]>;
  /** The record's lines, by slot: the last part of a Job's name. */
  spansOf: Map<string, Span[]>;
  /** From then on nothing went wrong; Infinity when the run has no such time. */
  calmMs: number;
};

/** Lays a history out. */
export function toCase(history: readonly HistoryEntry[], promised: Promised): Case {
  const attempts = history.filter((entry) => entry.kind === "attempt");
  const lives = toJobLives(history);
  return {
    ...{ promised, history, attempts, lives },
    lifeOf: new Map(lives.map((life) => [life.uid, life])),
    attemptsOf: Map.groupBy(attempts, ({ key }) => key),
    livesOf: Map.groupBy(lives, ({ key }) => key ?? ""),
    spansOf: toSpans(history),
    calmMs: history.find((entry) => entry.kind === "calm")?.atMs ?? Infinity,
  };
}

/** The policy that a request, or the one that made a Job, was under. */
export function policyOf({ onOverlap }: { onOverlap?: Policy | undefined }, { policy }: Promised): Policy {
  return onOverlap ?? policy;
}

/** The part of a Job's name by which the record knows its key. */
export function slotOf({ name }: JobLife): string {
  return name.slice(name.lastIndexOf("-") + 1);
}

/** Whether an answer says that its key has a Job of its own. An event's 202 has no body: under `allow` it says so too. */
export function saysMade({ status, outcome }: Attempt, { policy }: Promised): boolean {
  if (!isSuccess(status)) return false;
  return outcome === undefined ? policy === "allow" : outcome === "created" || outcome === "duplicate";
}

/** Whether nobody sends a request again after this status (a Broker does after 404, 429 and 5xx). */
export function isFinal(status: number): boolean {
  return isSuccess(status) || (status >= 400 && status < 500 && ![404, 408, 429].includes(status));
}

/** A request as a violation names it. */
export function describe({ number, key, status, outcome, code, replica }: Attempt): string {
  const answer = status === 0 ? "no answer" : [status, outcome ?? code].filter(Boolean).join(" ");
  return `request ${number} (key ${key}${replica ? `, ${replica}` : ""}: ${answer})`;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
