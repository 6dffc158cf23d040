import { FAULTS, type FaultCode } from "../../functions/errors.ts";
import { type Case, describe, type Violation } from "./case.ts";
import type { Attempt, Deed } from "./history.ts";

/** Every trigger ends within this time, whatever the API server does (the contract). */
const answerLimitMs = 15_000;

/** What well-formed requests to an installation in order may be answered while its surroundings fail. */
const expectedCodes: readonly FaultCode[] = [
  ...(["refused", "api-unavailable", "quota-conflict", "in-flight", "shutting-down", "outcome-unknown"] as const),
  "overloaded",
];

/** Every failure has a code of the catalogue that such a run can have, and every silence a cause that the run knows. */
export function checkFailures({ attempts, history }: Case): Violation[] {
  const outages = toOutages(history);
  return attempts.flatMap((attempt) => {
    const problem = attempt.status === 0 ? undefined : findWrongAnswer(attempt);
    if (problem) return [{ rule: "unexplained", detail: `${describe(attempt)}: ${problem}` }];
    const isSilent = attempt.status === 0 || attempt.endMs - attempt.startMs > answerLimitMs;
    const isOverloaded = attempt.code === "overloaded";
    if (!(isSilent || isOverloaded) || attempt.replica === undefined) return [];
    // What came while a process was frozen is at work for as long as a trigger may take.
    const afterMs = isOverloaded ? answerLimitMs : 0;
    const isExplained = (outages.get(attempt.replica) ?? []).some(
      ({ fromMs, toMs }) => fromMs <= attempt.endMs && attempt.startMs <= toMs + afterMs,
    );
    const how = attempt.error ?? (isOverloaded ? "overloaded" : "late");
    const detail = `${describe(attempt)} after ${attempt.endMs - attempt.startMs} ms (${how}), its process running`;
    return isExplained ? [] : [{ rule: "unexplained", detail }];
  });
}

function findWrongAnswer({ status, code, detail, outcome }: Attempt): string | undefined {
  if (status < 300)
    return outcome === undefined || ["created", "duplicate", "joined"].includes(outcome)
      ? undefined
      : "an outcome that nobody asked for";
  const fault = expectedCodes.find((expected) => expected === code);
  if (!fault) return `${code ?? "no code"} is no answer that such a run explains (${detail ?? "no detail"})`;
  return FAULTS[fault].status === status ? undefined : `${code} has status ${FAULTS[fault].status}`;
}

type Outage = { fromMs: number; toMs: number };

/** When each process could not answer. */
function toOutages(history: Case["history"]): Map<string, Outage[]> {
  const outages = new Map<string, Outage[]>();
  const changes = history.filter((entry): entry is Deed & { kind: "process" } => entry.kind === "process");
  for (const { replica, change, atMs } of changes) {
    const own = outages.get(replica) ?? [];
    outages.set(replica, own);
    if (change === "killed" || change === "frozen") own.push({ fromMs: atMs, toMs: Infinity });
    else for (const outage of own) outage.toMs = Math.min(outage.toMs, atMs);
  }
  return outages;
}
