import { jobName } from "../../functions/core/job-name.ts";
import { keyDigest } from "../../functions/core/key.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import type { KubeApi } from "../support/kube-api.ts";
import type { Attempt } from "./load.ts";

/**
 * What is wrong between what clients were told and the Jobs that are there, a sentence each: a key that was told to have
 * its Job has exactly that one, and there is no Job but of keys that were sent.
 */
export async function findWrongs(
  api: KubeApi,
  { namespace, cronJobName }: { namespace: string; cronJobName: string },
  attempts: readonly Attempt[],
): Promise<string[]> {
  const jobs = (await listJobs(api, namespace)).map((job) => metadataOf(job));
  const byDigest = Map.groupBy(jobs, ({ annotations }) => annotations["sync-trigger.internal/key-digest"]);
  const digestOf = (key: string) => keyDigest({ namespace, name: cronJobName }, { kind: "http", parts: [key] });
  const sent = new Set(attempts.map(({ key }) => digestOf(key)));
  const foreign = [...byDigest.keys()].filter((digest) => !sent.has(digest ?? ""));
  const wrongs = attempts
    .filter(({ status }) => status === 200)
    .flatMap(({ id, key, outcome, job }) => {
      const made = byDigest.get(digestOf(key)) ?? [];
      const expected = jobName(cronJobName, digestOf(key));
      if (made.length !== 1) return [`${id} was told ${outcome}, and its key has ${made.length} Jobs`];
      return job === expected && made[0]?.name === expected ? [] : [`${id} was told of Job ${job}, not ${expected}`];
    });
  return [...wrongs, ...foreign.map((digest) => `a Job of a key that nobody sent: ${digest}`)];
}

/** How many attempts had each status, with its error where there was no answer. */
export function countStatuses(attempts: readonly Attempt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, error } of attempts) {
    const name = status === 0 ? `none: ${error}` : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
