import type { Fault, ProxiedRequest } from "../support/fault-proxy.ts";
import type { Random } from "./random.ts";

const status = (code: number, reason: string, message: string, headers: Record<string, string> = {}): Fault => ({
  ...{ kind: "answer", status: code, headers },
  body: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message },
});

/** Each kind as often as it stands here. */
const anyFaults: Fault[] = [
  { kind: "reset" },
  { kind: "reset after forwarding" },
  { kind: "reset after forwarding" },
  { kind: "hang" },
  { kind: "hang after forwarding" },
  { kind: "hang after forwarding" },
  { kind: "half the body after forwarding" },
  { kind: "half the body after forwarding" },
  { kind: "wrong content type after forwarding" },
  status(429, "TooManyRequests", "too many requests", { "retry-after": "1" }),
  status(500, "InternalError", "etcdserver: request timed out"),
  status(503, "ServiceUnavailable", "apiserver is shutting down"),
];
const createFaults: Fault[] = [
  ...anyFaults,
  status(409, "Conflict", 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified'),
];

/** Longer than the function waits for an answer, so that some requests arrive after it has stopped waiting. */
const latestMs = 6_000;
/**
 * Shorter than that: a create that arrives when its sender has given it up, and its Job has been made by another one and
 * removed, makes a second Job. No name can prevent that, and no record.
 */
const latestCreateMs = 3_500;

/** A rule for the fault proxy: of the requests `share` is spoiled, and as many are late. */
export function createFaultRule(random: Random, share: number) {
  return ({ method }: ProxiedRequest): Fault | undefined => {
    if (random.chance(share)) return random.pick(method === "POST" ? createFaults : anyFaults);
    // Mostly short, now and then long.
    const mostMs = method === "POST" ? latestCreateMs : latestMs;
    return random.chance(share) ? { kind: "delay", ms: Math.round(mostMs * random.next() ** 3) } : undefined;
  };
}
