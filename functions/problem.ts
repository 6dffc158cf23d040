import { FAULTS, type Fault } from "./errors.ts";

/** The body of an error answer (RFC 9457); `instance` is the request id that the log line has too. */
export type Problem = { type: string; title: string; status: number; detail: string; instance: string };

/** Knative keeps 1,024 characters of base64 of a dead-lettered answer: 768 bytes, of which the rest of the JSON needs some. */
const eventBodyLimitBytes = 700;

/** A Fault as a problem document. */
export function toProblem(fault: Fault, requestId: string): Problem {
  const { status, meaning } = FAULTS[fault.code];
  return {
    type: `urn:sync-trigger:${fault.code}`,
    title: meaning,
    status,
    detail: fault.message,
    instance: requestId,
    ...fault.members,
  };
}

/**
 * The problem as one line of ASCII under 700 bytes, so that it survives whole in the attribute `knativeerrordata`
 * of a dead-lettered event; the detail is cut to fit.
 */
export function toEventProblem(problem: Problem): string {
  const spare = eventBodyLimitBytes - toAscii({ ...problem, detail: "" }).length;
  // Cut before the loop: it looks at the whole text each time, and one detail can quote a 10 kB header.
  let detail = problem.detail.replace(/\s+/g, " ").slice(0, eventBodyLimitBytes);
  while (toAscii(detail).length - 2 >= spare) detail = detail.slice(0, -1);
  return toAscii({ ...problem, detail: detail.toWellFormed() });
}

function toAscii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
