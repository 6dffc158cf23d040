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
 * A rule for the fault proxy: of the requests `share` is spoiled, and as many are late, some beyond `apiTimeoutMs`, after
 * which the function no longer waits. Only no create is that late: one that arrives when its sender has given it up, and
 * its Job was made by another and removed, makes a second Job. No name can prevent that, and no record.
 */
export function createFaultRule(random: Random, { share, apiTimeoutMs }: { share: number; apiTimeoutMs: number }) {
  return ({ method }: ProxiedRequest): Fault | undefined => {
    if (random.chance(share)) return random.pick(method === "POST" ? createFaults : anyFaults);
    // Mostly short, now and then long.
    const mostMs = apiTimeoutMs * (method === "POST" ? 0.8 : 1.5);
    return random.chance(share) ? { kind: "delay", ms: Math.round(mostMs * random.next() ** 3) } : undefined;
  };
}
