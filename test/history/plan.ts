import type { Policy } from "./history.ts";
import type { Random } from "./random.ts";

/**
 * One delivery of a key to the function: sent at that time of the run, and again until it is answered for good; with a
 * policy of its own or, without one, under the run's.
 */
export type Delivery = { number: number; key: string; atMs: number; onOverlap?: Policy | undefined };

/**
 * Deliveries over `spanMs`: each key once, then keys again: at nearly the same time (an impatient click, a sender whose
 * deadline is shorter than ours), soon, or at any time.
 */
export function planDeliveries(random: Random, count: number, keys: number, spanMs: number): Delivery[] {
  const firstAtMs = Array.from({ length: Math.min(keys, count) }, () => random.between(0, spanMs));
  const again = Array.from({ length: Math.max(0, count - keys) }, () => {
    const index = Math.floor(random.next() * firstAtMs.length);
    const fromMs = firstAtMs[index] ?? 0;
    const soonMs = random.pick([0, 500, 10_000, spanMs - fromMs]);
    return { key: toKey(index), atMs: Math.min(spanMs, fromMs + random.next() * soonMs) };
  });
  return [...firstAtMs.map((atMs, index) => ({ key: toKey(index), atMs })), ...again]
    .sort((a, b) => a.atMs - b.atMs)
    .map((delivery, index) => ({ ...delivery, number: index + 1 }));
}

/** Gives deliveries policies other than the run's: the same for a key always, but for those that reuse it. */
export function mixPolicies(
  random: Random,
  policy: Policy,
  { ownPolicyShare, reusedShare }: { ownPolicyShare: number; reusedShare: number },
): (delivery: Delivery) => Delivery {
  const others = (["allow", "forbid", "join"] as const).filter((other) => other !== policy);
  const ofKey = new Map<string, Policy | undefined>();
  return (delivery) => {
    const { key } = delivery;
    if (!ofKey.has(key)) ofKey.set(key, random.chance(ownPolicyShare) ? random.pick(others) : undefined);
    return { ...delivery, onOverlap: random.chance(reusedShare) ? random.pick(others) : ofKey.get(key) };
  };
}

function toKey(index: number): string {
  return `key ${index + 1}`;
}
