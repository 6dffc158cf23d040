import { beforeAll, expect, test } from "vitest";
import { api, untilCondition } from "./support/cluster.ts";
import { schedulePatch, settingsPatch, withoutPage } from "./support/copy-overlay.ts";
import { type EventRecorder, startRecorder } from "./support/event-recorder.ts";
import { isProbe, postEvent, requestedType, untilBrokerDelivers, untilDelivered } from "./support/events.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install } from "./support/install.ts";
import { countJobsBy } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { readFunctionLog } from "./support/pods.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

let kraken: Installation;
let recorder: EventRecorder;
beforeAll(async () => {
  const patches = [settingsPatch({ REPLY_EVENTS: "on" }), schedulePatch("0 0 29 2 *"), withoutPage];
  kraken = await install({ overlay: "kraken", what: "replies", cronJob: syncCronJob({ isIdle: true }), patches });
  recorder = await startRecorder(kraken.namespace);
  await untilBrokerDelivers(kraken);
});
removeAfterwards(() => [kraken]);

async function addTrigger(name: string, subscriber: object, attributes?: Record<string, string>): Promise<void> {
  const path = `/apis/eventing.knative.dev/v1/namespaces/${kraken.namespace}/triggers`;
  await api.expect("POST", path, {
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: { name },
    spec: { broker: "sync-trigger", subscriber, ...(attributes ? { filter: { attributes } } : {}) },
  });
  await untilCondition(`${path}/${name}`, "Ready");
}

type Recorded = Awaited<ReturnType<EventRecorder["read"]>>[number];

/** The event that a reply names as its original; undefined of an event that is no reply. */
const originalOf = ({ data }: Recorded) => (data as { event?: { id: string } } | undefined | null)?.event?.id;

/** What the recorder has of one event and of the replies to it. */
async function recordedOf(id: string) {
  return (await recorder.read()).filter((event) => event.id === id || originalOf(event) === id);
}

const createdType = "internal.sync-trigger.created.v1";

test("a Trigger on the created event gets one for each Job, which names the Job and the original event", async () => {
  await addTrigger("on-created", recorder.subscriber, { type: createdType });
  await untilDelivered(kraken.brokerUrl, async (id) => (await recordedOf(id)).length > 0);
  expect(await postEvent(kraken.brokerUrl, { id: "first" })).toBe(202);
  const [event] = await eventually("the reply", async () => {
    const events = await recordedOf("first");
    return events.length > 0 && events;
  });
  const lines = await readFunctionLog(kraken.namespace);
  const line = lines.find(({ event }) => (event as { id?: string } | undefined)?.id === "first");
  expect(event).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f]{64}-created$/),
    type: createdType,
    source: `/apis/batch/v1/namespaces/${kraken.namespace}/cronjobs/${kraken.cronJobName}`,
    subject: line?.job,
    data: {
      outcome: "created",
      job: { name: line?.job },
      event: { id: "first", source: "/tests", type: requestedType },
    },
  });
});

test("nothing loops, even when a Trigger without a filter sends every event of the Broker to the function", async () => {
  const service = { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "sync-trigger" } };
  await addTrigger("everything-to-us", service);
  await addTrigger("everything-recorded", recorder.subscriber);
  // The event itself, one created reply by two Triggers, one duplicate.
  await untilDelivered(kraken.brokerUrl, async (id) => (await recordedOf(id)).length === 4);
  expect(await postEvent(kraken.brokerUrl, { id: "second" })).toBe(202);
  // Two Triggers bring it to the function: one Job, one duplicate, and a reply to each, which come back and are ignored.
  const expected = ["internal.sync-trigger.duplicate.v1 second", `${createdType} second`];
  const seen = await eventually("the replies", async () => {
    const replies = (await recordedOf("second")).filter(({ id }) => id !== "second");
    return replies.length >= 3 && replies.map((reply) => `${reply.type} ${originalOf(reply)}`);
  });
  // The created one is seen by both Triggers that lead to the recorder.
  expect(seen.sort()).toEqual([...expected, `${createdType} second`].sort());

  // This Broker answers after delivery, replies included: what comes behind it would come behind every loop.
  expect(await postEvent(kraken.brokerUrl, { id: "last" })).toBe(202);
  await eventually("the last reply", async () => (await recorder.read()).some((event) => originalOf(event) === "last"));
  expect((await recordedOf("second")).filter(({ id }) => id !== "second")).toHaveLength(3);
  const counts = Object.entries(await countJobsBy("event-id", kraken.namespace)).filter(([id]) => !isProbe(id));
  expect(Object.fromEntries(counts)).toEqual({ first: 1, second: 1, last: 1 });
  const ignored = (await readFunctionLog(kraken.namespace)).filter(({ outcome }) => outcome === "ignored");
  expect(ignored.length).toBeGreaterThanOrEqual(2);
});
