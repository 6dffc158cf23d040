import { requestInCluster } from "../../cluster/cluster-http.ts";
import { listJobs, metadataOf } from "../../support/jobs.ts";
import { api } from "./cluster.ts";

/** An event that asks for a run. */
export const requestedType = "internal.sync-trigger.requested.v1";

/** Attributes and data of an event; an id of its own unless given. */
export type TestEvent = { id?: string; type?: string; source?: string; data?: unknown };

/** Posts an event to a Broker and gives its status; an in-memory Broker answers after delivery, retries included. */
export async function postEvent(
  brokerUrl: string,
  { id = crypto.randomUUID(), type = requestedType, source = "/tests", data }: TestEvent,
  timeoutMs = 120_000,
): Promise<number> {
  const attributes = { "ce-specversion": "1.0", "ce-id": id, "ce-type": type, "ce-source": source };
  const content = data === undefined ? {} : { "content-type": "application/json" };
  const answer = await requestInCluster(brokerUrl, {
    method: "POST",
    headers: { ...attributes, ...content },
    ...(data === undefined ? {} : { body: JSON.stringify(data) }),
    timeoutMs,
  });
  return answer.status;
}

/** How many Jobs each event has, by its id. */
export async function countJobsByEvent(namespace: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const job of await listJobs(api, namespace)) {
    const id = metadataOf(job).annotations?.["sync-trigger.internal/event-id"];
    if (id !== undefined) counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}
