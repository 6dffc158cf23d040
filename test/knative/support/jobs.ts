import { requestInCluster } from "../../cluster/cluster-http.ts";
import type { TriggerAnswer } from "../../support/answers.ts";
import { listJobs, metadataOf } from "../../support/jobs.ts";
import { api } from "./cluster.ts";

/** Answers of POST /trigger-sync: a success, or a problem document. */
export type Answer = { status: number } & Partial<TriggerAnswer> & { detail?: string; reason?: string };

/** Asks for a run over HTTP. */
export async function trigger(
  { url }: { url: string },
  { key, request }: { key?: string; request?: object } = {},
): Promise<Answer> {
  const { status, body } = await requestInCluster(`${url}/trigger-sync`, {
    method: "POST",
    headers: {
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(request === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(request === undefined ? {} : { body: JSON.stringify(request) }),
  });
  return { status, ...(JSON.parse(body) as Partial<TriggerAnswer>) };
}

/** How many Jobs there are for each value of one of our annotations; Jobs without it are not counted. */
export async function countJobsBy(
  annotation: "event-id" | "key-digest" | "via",
  namespace: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const job of await listJobs(api, namespace)) {
    const value = metadataOf(job).annotations?.[`sync-trigger.internal/${annotation}`];
    if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}
