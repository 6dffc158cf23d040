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

/**
 * A rule for the fault proxy: of the requests `share` is spoiled, and as many are late by up to `latestMs`, which should
 * be longer than the function waits for an answer.
 */
export function createFaultRule(random: Random, { share, latestMs }: { share: number; latestMs: number }) {
  return ({ method }: ProxiedRequest): Fault | undefined => {
    if (random.chance(share)) return random.pick(method === "POST" ? createFaults : anyFaults);
    // Mostly short, now and then long.
    return random.chance(share) ? { kind: "delay", ms: Math.round(latestMs * random.next() ** 3) } : undefined;
  };
}
