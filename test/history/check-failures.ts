import { FAULTS, type FaultCode } from "../../functions/errors.ts";
import { type Case, describe, policyOf, type Violation } from "./case.ts";
import type { Attempt, Deed } from "./history.ts";

/** Every trigger ends within this time, whatever the API server does (the contract). */
const answerLimitMs = 15_000;

/** What well-formed requests to an installation in order may be answered while its surroundings fail. */
const expectedCodes: readonly FaultCode[] = [
  ...(["refused", "api-unavailable", "quota-conflict", "in-flight", "shutting-down", "outcome-unknown"] as const),
  "overloaded",
];

/** Every failure has a code of the catalogue that such a run can have, and every silence a cause that the run knows. */
export function checkFailures(run: Case): Violation[] {
  const { attempts, history } = run;
  const outages = toOutages(history);
  return attempts.flatMap((attempt) => {
    const problem = attempt.status === 0 ? undefined : findWrongAnswer(attempt, run);
    if (problem) return [{ rule: "unexplained", detail: `${describe(attempt)}: ${problem}` }];
    const isSilent = attempt.status === 0 || attempt.endMs - attempt.startMs > answerLimitMs;
    const isOverloaded = attempt.code === "overloaded";
    if (!(isSilent || isOverloaded) || attempt.replica === undefined) return [];
    // What came while a process was frozen, or while the API server was away, is at work for as long as a trigger may take.
    const afterMs = isOverloaded ? answerLimitMs : 0;
    const causes = [attempt.replica, ...(isOverloaded ? [apiServer] : [])].flatMap((name) => outages.get(name) ?? []);
    const isExplained = causes.some(({ fromMs, toMs }) => fromMs <= attempt.endMs && attempt.startMs <= toMs + afterMs);
    const how = attempt.error ?? (isOverloaded ? "overloaded" : "late");
    const detail = `${describe(attempt)} after ${attempt.endMs - attempt.startMs} ms (${how}), its process running`;
    return isExplained ? [] : [{ rule: "unexplained", detail }];
  });
}

function findWrongAnswer(attempt: Attempt, run: Case): string | undefined {
  const { status, code, detail, outcome } = attempt;
  if (code === "key-reused") return isReused(attempt, run) ? undefined : "the key had no Job of another request";
  if (status < 300)
    return outcome === undefined || ["created", "duplicate", "joined"].includes(outcome)
      ? undefined
      : "an outcome that nobody asked for";
  const fault = expectedCodes.find((expected) => expected === code);
  if (!fault) return `${code ?? "no code"} is no answer that such a run explains (${detail ?? "no detail"})`;
  return FAULTS[fault].status === status ? undefined : `${code} has status ${FAULTS[fault].status}`;
}

function isReused(attempt: Attempt, { livesOf, promised }: Case): boolean {
  const { key, endMs, status } = attempt;
  const policy = policyOf(attempt, promised);
  const own = livesOf.get(key) ?? [];
  return (
    status === FAULTS["key-reused"].status &&
    own.some((life) => life.createdAtMs <= endMs && policyOf(life, promised) !== policy)
  );
}

/** The API server among the names of processes. */
const apiServer = "API server";

type Outage = { fromMs: number; toMs: number };

/** When each process, or the API server, could not answer. */
function toOutages(history: Case["history"]): Map<string, Outage[]> {
  const outages = new Map<string, Outage[]>();
  const isChange = ({ kind }: Case["history"][number]) => kind === "process" || kind === "api-server";
  for (const entry of history.filter((one): one is Deed & { change: string } => isChange(one))) {
    const { change, atMs } = entry;
    const name = entry.kind === "process" ? entry.replica : apiServer;
    const own = outages.get(name) ?? [];
    outages.set(name, own);
    if (change === "killed" || change === "frozen" || change === "stopping") own.push({ fromMs: atMs, toMs: Infinity });
    else for (const outage of own) outage.toMs = Math.min(outage.toMs, atMs);
  }
  return outages;
}
