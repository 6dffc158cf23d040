import { setTimeout as pause } from "node:timers/promises";
import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";
import type { JobRef } from "../../functions/core/outcome.ts";
import { isFinal } from "./case.ts";
import type { Attempt, Recorder } from "./history.ts";
import type { Delivery } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Replica } from "./replicas.ts";

/** Longer than any trigger takes: a request that gets no answer by then is sent to somebody else. */
const answerTimeoutMs = 20_000;
const longestBackoffMs = 5_000;

/** What clients work with; `untilMs` (of performance.now) is when a delivery is given up. */
export type Sending = {
  replicas: Replica[];
  recorder: Recorder;
  untilMs: number;
};

let number = 0;

/** Sends a key to a process by chance, a dead one only if all are, again and again until the answer is final. */
export async function deliver(planned: Delivery, random: Random, sending: Sending): Promise<void> {
  const { key, onOverlap, number: delivery } = planned;
  for (
    let backoffMs = 100;
    performance.now() < sending.untilMs;
    backoffMs = Math.min(longestBackoffMs, backoffMs * 2)
  ) {
    const up = sending.replicas.filter((one) => one.isUp());
    const replica = random.pick(up.length > 0 ? up : sending.replicas);
    number += 1;
    const request = { kind: "attempt" as const, number, delivery, key, onOverlap, replica: replica.name };
    const startMs = Date.now();
    const answer = await send(replica.url(), planned);
    sending.recorder.record({ ...request, startMs, endMs: Date.now(), ...answer });
    if (isFinal(answer.status)) return;
    await pause(backoffMs * random.between(0.5, 1));
  }
}

type Answer = Pick<Attempt, "status" | "error" | "outcome" | "code" | "detail" | "job">;

async function send(url: string, { key, onOverlap }: Delivery): Promise<Answer> {
  try {
    const headers = { "idempotency-key": key, "content-type": "application/json" };
    // The reason, which is no part of what a key stands for, tells in the Job which request it was made for.
    const reason = [key, onOverlap].filter((part) => part !== undefined).join("; ");
    const body = JSON.stringify({ reason, onOverlap });
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const answer = await fetch(`${url}/trigger-sync`, { method: "POST", headers, body, signal });
    return { status: answer.status, ...toFacts((await answer.json()) as JsonObject) };
  } catch (error) {
    const { name, cause } = error as Error;
    return { status: 0, error: (cause as NodeJS.ErrnoException | undefined)?.code ?? name };
  }
}

function toFacts({ outcome, type, detail, job }: JsonObject): Omit<Answer, "status"> {
  return {
    outcome: typeof outcome === "string" ? outcome : undefined,
    code: typeof type === "string" ? type.replace("urn:sync-trigger:", "") : undefined,
    detail: typeof detail === "string" ? detail : undefined,
    job: isJsonObject(job) ? (job as unknown as JobRef) : undefined,
  };
}
