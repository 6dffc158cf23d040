import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { keyDigest } from "../../../functions/core/key.ts";
import { requestInCluster } from "../../cluster/cluster-http.ts";
import type { Installation } from "./install.ts";
import { countJobsBy } from "./jobs.ts";

/** A trigger of the load: its key, and in order what came of each attempt, a status or the error's code. */
export type Attempted = { key: string; results: (number | string)[] };

const clients = 4;
const pauseMs = 150;
const longestRetryMs = 60_000;

/**
 * Triggers again and again, each with a key of its own that is repeated until it is answered 200, and then once more:
 * half of the clients over connections that they keep, half over one connection for each request.
 */
export function startLoad({ url }: Installation) {
  const history: Attempted[] = [];
  const load = randomUUID(); // Keys of an earlier load have their Jobs already.
  let isStopping = false;
  const running = Array.from({ length: clients }, async (_, client) => {
    const headers = client % 2 === 0 ? { connection: "close" } : {};
    for (let count = 0; !isStopping; count += 1) {
      const attempted: Attempted = { key: `${load}-${client}-${count}`, results: [] };
      history.push(attempted);
      await triggerUntilDone(url, attempted, headers);
      await pause(pauseMs);
      // Again, as by a sender that did not get the answer.
      await triggerUntilDone(url, attempted, headers);
    }
  });
  return {
    history,
    /** Stops after the triggers under way and gives all of them. */
    async stop(): Promise<Attempted[]> {
      isStopping = true;
      await Promise.all(running);
      return history;
    },
  };
}

async function triggerUntilDone(url: string, { key, results }: Attempted, headers: Record<string, string>) {
  const endsAtMs = performance.now() + longestRetryMs;
  do {
    const options = { method: "POST", headers: { ...headers, "idempotency-key": key } };
    const answer = await requestInCluster(`${url}/trigger-sync`, options).catch((error) => error);
    results.push(answer instanceof Error ? ((answer as NodeJS.ErrnoException).code ?? answer.name) : answer.status);
    if (results.at(-1) !== 200) await pause(pauseMs);
  } while (results.at(-1) !== 200 && performance.now() < endsAtMs);
}

/** How many Jobs each key of a load has; keys with exactly one are left out. */
export async function findKeysWithoutOneJob(
  { namespace, cronJobName }: Installation,
  history: Attempted[],
): Promise<Record<string, number>> {
  const counts = await countJobsBy("key-digest", namespace);
  const ofKey = (key: string) => keyDigest({ namespace, name: cronJobName }, { kind: "http", parts: [key] });
  const all = history.map(({ key }): [string, number] => [key, counts[ofKey(key)] ?? 0]);
  return Object.fromEntries(all.filter(([, count]) => count !== 1));
}

/** The triggers of which an attempt was not answered 200. */
export function findTroubled(history: Attempted[]): Attempted[] {
  return history.filter(({ results }) => results.some((result) => result !== 200));
}
