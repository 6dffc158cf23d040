import type { IncomingMessage } from "node:http";
import { Fault } from "./errors.ts";

/**
 * What is counted apart, so that one kind of caller cannot keep another out: triggers (once their body is there, which
 * a slow sender would otherwise hold a place with), reads, and reads that are held open on purpose (waits, logs).
 */
type Lane = "triggers" | "reads" | "held reads";

/** Takes a place for a request and gives the function that leaves it. Throws 503 when its lane is full. */
export type Admit = (lane: Lane) => () => void;

/** At most `limit` requests at work in each lane: what comes on top would only wait for memory and the API server. */
export function createAdmission(limit: number): Admit {
  const atWork: Record<Lane, number> = { triggers: 0, reads: 0, "held reads": 0 };
  return (lane) => {
    if (atWork[lane] >= limit) {
      const detail = `${limit} ${lane} are at work here (MAX_IN_FLIGHT); try again`;
      throw new Fault("overloaded", detail, { headers: { "Retry-After": "1" } });
    }
    atWork[lane] += 1;
    return () => {
      atWork[lane] -= 1;
    };
  };
}

/** The lane of a request that has no body to wait for. */
export function laneOfRead({ url = "", headers }: Pick<IncomingMessage, "url" | "headers">): Lane {
  const isHeld = headers.prefer !== undefined || /^[^?]*\/logs($|\?)/.test(url);
  return isHeld ? "held reads" : "reads";
}
