import { requestInCluster } from "../../cluster/cluster-http.ts";
import { eventually } from "./eventually.ts";
import { countJobsBy } from "./jobs.ts";

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

const probePrefix = "probe-";

/**
 * Posts events, each with an id of its own, until one of them is seen where the Broker's Triggers lead. A Trigger may be
 * Ready before its channel delivers, and until then events are answered 202 and dropped: the in-memory channel's
 * dispatcher calls subscribers ready whose channel it has passed over (eventing 0.48, dispatcher/inmemorychannel.go).
 */
export async function untilDelivered(brokerUrl: string, isSeen: (id: string) => Promise<boolean>): Promise<void> {
  for (let count = 0, done = false; !done; count += 1) {
    const id = `${probePrefix}${crypto.randomUUID()}`;
    if (count === 20) throw new Error(`${count} events in a row did not arrive from ${brokerUrl}`);
    // This Broker answers after delivery: what is not there soon was dropped.
    if ((await postEvent(brokerUrl, { id })) !== 202) continue;
    done = await eventually("a probe", () => isSeen(id), 5_000).then(
      () => true,
      () => false,
    );
  }
}

/** Waits until events that are posted to an installation's Broker become Jobs. */
export function untilBrokerDelivers({ brokerUrl, namespace }: { brokerUrl: string; namespace: string }): Promise<void> {
  return untilDelivered(brokerUrl, async (id) => (await countJobsBy("event-id", namespace))[id] === 1);
}

/** Whether an event was posted by `untilDelivered` and not by a test. */
export function isProbe(id: string): boolean {
  return id.startsWith(probePrefix);
}
