import { requestInCluster } from "../../cluster/cluster-http.ts";

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
