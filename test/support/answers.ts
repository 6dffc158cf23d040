import type { JobRef } from "../../functions/core/outcome.ts";
import type { Problem } from "../../functions/problem.ts";

/** The body of a successful plain trigger. */
export type TriggerAnswer = { outcome: string; job: JobRef; links: Record<string, string> };

/** The body of an answer, taken for what the status says it is. */
export async function readTrigger(answer: Response): Promise<TriggerAnswer> {
  if (answer.status !== 200) throw new Error(`expected 200, got ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as TriggerAnswer;
}

/** The problem document of an error answer. */
export async function readProblem(answer: Response): Promise<Problem> {
  return (await answer.json()) as Problem;
}
