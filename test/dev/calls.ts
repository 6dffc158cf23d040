import type { JsonObject } from "../../functions/core/json.ts";
import { cronJobSteps } from "./calls/cronjobs.ts";
import { eventSteps } from "./calls/events.ts";
import { jobSteps } from "./calls/jobs.ts";
import { leaseSteps } from "./calls/leases.ts";
import { listSteps } from "./calls/lists.ts";
import { namespaceEndSteps, namespaceSteps } from "./calls/namespaces.ts";
import { requestSteps, unmodelledSteps } from "./calls/requests.ts";
import type { Step } from "./calls/step.ts";
import { watchSteps } from "./calls/watches.ts";

/** An answer as it came. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Sends one request to a Kubernetes API, with the credentials that it needs there. */
export type Send = (
  method: string,
  path: string,
  headers: Record<string, string | undefined>,
  body: string | undefined,
) => Promise<Answer>;

/** An answer as it is compared. */
export interface Played {
  name: string;
  status: number;
  /** Those that a client could go by. */
  headers: Record<string, unknown>;
  body: JsonObject | string;
}

// A busy node pulls one image at a time: one that is not there waits for those of others.
const deadlineMs = 120_000;
const compared = ["content-type", "warning", "cache-control", "allow", "retry-after", "x-content-type-options"];

/** The script of calls: everything in one namespace, in this order, since later calls build on earlier ones. */
export const apiSteps = (namespace: string): Step[] => [
  ...namespaceSteps(namespace),
  ...cronJobSteps(namespace),
  ...jobSteps(namespace),
  ...listSteps(namespace),
  ...leaseSteps(namespace),
  ...watchSteps(namespace),
  ...eventSteps(namespace),
  ...requestSteps(namespace),
  ...namespaceEndSteps(namespace),
  // Last, because what the real server makes of them numbers no uid that the embedded one knows.
  ...unmodelledSteps(namespace),
];

/** Plays steps against one API and returns every answer. */
export async function play(send: Send, steps: readonly Step[]): Promise<Played[]> {
  const bodies = new Map<string, JsonObject>();
  const seen = (name: string) => {
    const body = bodies.get(name);
    if (!body) throw new Error(`no step before this one is named ${JSON.stringify(name)}`);
    return body;
  };
  const played: Played[] = [];
  for (const step of steps) {
    if (bodies.has(step.name)) throw new Error(`two steps are named ${JSON.stringify(step.name)}`);
    const path = typeof step.path === "string" ? step.path : step.path(seen);
    const given = step.bodyFrom ? step.bodyFrom(seen) : step.body;
    const body = given === undefined || typeof given === "string" ? given : JSON.stringify(given);
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { accept: "application/json", ...type, ...step.headers };
    const answer = await sendUntil(step, () => send(step.method, path, headers, body));
    const parsed = parseBody(answer.text);
    bodies.set(step.name, typeof parsed === "string" ? {} : parsed);
    const shown = compared.filter((name) => answer.headers[name] !== undefined);
    played.push({
      name: step.name,
      status: answer.status,
      headers: Object.fromEntries(shown.map((name) => [name, answer.headers[name]])),
      body: parsed,
    });
  }
  return played;
}

async function sendUntil(step: Step, send: () => Promise<Answer>): Promise<Answer> {
  const giveUpAtMs = Date.now() + deadlineMs;
  for (;;) {
    const answer = await send();
    const parsed = parseBody(answer.text);
    const body = typeof parsed === "string" ? {} : parsed;
    if (!step.until || step.until(body, answer.status, answer.text)) return answer;
    if (Date.now() > giveUpAtMs) throw new Error(`${step.name}: still ${answer.status} ${answer.text.slice(0, 1000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** JSON, or the lines of JSON that a watch sends; anything else as it is. */
function parseBody(text: string): JsonObject | string {
  const json = parseObject(text);
  if (json) return json;
  const lines = text.trimEnd().split("\n").map(parseObject);
  return lines.every((line) => line !== undefined) ? { lines } : text;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? (json as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
