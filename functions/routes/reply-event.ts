import type { ReceivedEvent } from "../core/cloudevent.ts";
import { keyDigest, keyOfEvent } from "../core/key.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Reply } from "../route.ts";

/**
 * The answer to an event as an event about its outcome (REPLY_EVENTS=on): a Broker sends it on, and other Triggers can
 * act on it. The same outcome of the same event has the same id, and no other event's has (CloudEvents 1.0.2: source and id
 * are unique together). The SDK is loaded only where replies are wanted.
 */
export async function toReplyEvent(
  result: Outcome,
  received: ReceivedEvent,
  { namespace, cronJobName }: { namespace: string; cronJobName: string },
): Promise<Reply> {
  const { CloudEvent, HTTP } = await import("cloudevents");
  const { outcome, job } = result;
  const cronJob = { namespace, name: cronJobName };
  const key = keyOfEvent(received);
  const event = new CloudEvent({
    id: `${keyDigest(cronJob, { kind: "event", parts: [received.source, received.id] })}-${outcome}`,
    source: `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`,
    type: `internal.sync-trigger.${outcome}.v1`,
    ...(job ? { subject: job.name } : {}),
    datacontenttype: "application/json",
    data: {
      outcome,
      job,
      key,
      keyDigest: keyDigest(cronJob, key),
      ...("reason" in result ? { reason: result.reason } : {}),
      event: { source: received.source, id: received.id, type: received.type },
    },
  });
  const { headers, body } = HTTP.binary(event);
  const texts = Object.entries(headers).map(([name, value]) => [name, toHeaderValue(String(value))]);
  return { status: 200, headers: Object.fromEntries(texts), json: body };
}

/** Percent-encodes what a header cannot carry (HTTP binding 1.0.2, section 3.1.3.2), which the SDK leaves as it is. */
function toHeaderValue(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character));
}
