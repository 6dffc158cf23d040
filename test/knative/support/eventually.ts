import { waitFor } from "../../cluster/machine/wait.ts";

/** Waits until a look gives something truthy, and gives that; a look that fails is repeated too. Rejects after the deadline. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  timeoutMs = 120_000,
): Promise<Exclude<NonNullable<T>, false>> {
  return (await waitFor({ what, timeoutMs, everyMs: 200 }, look)) as Exclude<NonNullable<T>, false>;
}
