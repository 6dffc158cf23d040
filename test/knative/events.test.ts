import { beforeAll, expect, test } from "vitest";
import { kubectl } from "../support/kubectl.ts";
import { mergePatch } from "./support/cluster.ts";
import { schedulePatch, withoutPage } from "./support/copy-overlay.ts";
import { postEvent, untilBrokerDelivers } from "./support/events.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install } from "./support/install.ts";
import { countJobsBy } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { readFunctionLog, untilZero } from "./support/pods.ts";
import { runEnd } from "./support/run-end.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

let kraken: Installation;
beforeAll(async () => {
  kraken = await install({ overlay: "kraken", what: "events", patches: [schedulePatch("0 0 29 2 *"), withoutPage] });
  await untilBrokerDelivers(kraken);
});
removeAfterwards(() => [kraken]);

/** The log lines of one event's requests, as far as its pods are still there. */
async function linesOf(id: string) {
  const lines = await readFunctionLog(kraken.namespace);
  return lines.filter(({ event }) => (event as { id?: string } | undefined)?.id === id);
}

const jobsOf = async (id: string) => (await countJobsBy("event-id", kraken.namespace))[id] ?? 0;

test("an event on the Broker gives one Job, which runs; the same event again gives none", async () => {
  expect(await postEvent(kraken.brokerUrl, { id: "once", data: { reason: "prices changed" } })).toBe(202);
  const [line] = await eventually("the delivery", async () => {
    const lines = await linesOf("once");
    return lines.length > 0 && lines;
  });
  expect(line).toMatchObject({ outcome: "created", via: "event", status: 202 });
  expect(await runEnd(kraken.namespace, String(line?.job))).toBe("Complete");

  expect(await postEvent(kraken.brokerUrl, { id: "once", data: { reason: "prices changed" } })).toBe(202);
  const isDuplicate = ({ outcome }: { outcome?: unknown }) => outcome === "duplicate";
  await eventually("the second delivery", async () => (await linesOf("once")).some(isDuplicate));
  expect(await jobsOf("once")).toBe(1);
});

test("events of other types and other sources' pings do not reach the function", async () => {
  const others = [
    { id: "other-type", type: "com.example.other" },
    { id: "own-type", type: "internal.sync-trigger.created.v1" },
    { id: "other-ping", type: "dev.knative.sources.ping", source: "/apis/v1/namespaces/other/pingsources/x" },
  ];
  for (const event of others) expect(await postEvent(kraken.brokerUrl, event)).toBe(202);
  // What comes behind them on the same Broker has arrived, so they would have.
  expect(await postEvent(kraken.brokerUrl, { id: "last" })).toBe(202);
  await eventually("the last event", async () => (await linesOf("last")).length > 0);
  for (const { id } of others) expect([id, await linesOf(id), await jobsOf(id)]).toEqual([id, [], 0]);
});

test("an event with an unknown field is tried once, and is in the dead-letter log with its reason", async () => {
  // This Broker answers after delivery, all attempts included.
  expect(await postEvent(kraken.brokerUrl, { id: "refused", data: { reason: "x", reasn: "y" } })).toBe(202);
  // Before the dead letter's pod is there the function's may be gone, and its log with it.
  expect((await linesOf("refused")).map(({ status }) => status)).toEqual([422]);
  const entry = await eventually("the dead letter", async () => {
    const label = "sync-trigger.internal/component=dead-letter";
    const log = await kubectl("--namespace", kraken.namespace, "logs", "--selector", label, "--tail=-1");
    const entries = log.split("\n").filter((line) => line.startsWith("{"));
    return entries.map((line) => JSON.parse(line)).find(({ event }) => event.id === "refused");
  });
  expect(entry).toMatchObject({
    level: "error",
    code: "422",
    answer: { type: "urn:sync-trigger:invalid-field", detail: expect.stringContaining('unknown field "reasn"') },
    event: { id: "refused", data: { reason: "x", reasn: "y" } },
  });
  expect(await jobsOf("refused")).toBe(0);
});

test("50 events during a cold start give 50 Jobs, none lost and none doubled", async () => {
  const { namespace } = kraken;
  const cronJob = `/apis/batch/v1/namespaces/${namespace}/cronjobs/${kraken.cronJobName}`;
  await mergePatch(cronJob, syncCronJob({ isIdle: true }));
  await untilZero(namespace);
  const ids = Array.from({ length: 50 }, (_, index) => `cold-${index}`);
  const statuses = await Promise.all(ids.map((id) => postEvent(kraken.brokerUrl, { id })));
  expect(statuses).toEqual(ids.map(() => 202));

  const counts = await eventually("50 Jobs", async () => {
    const all = Object.entries(await countJobsBy("event-id", namespace));
    const cold = all.filter(([id]) => id.startsWith("cold-"));
    return cold.length >= 50 && Object.fromEntries(cold);
  });
  expect(counts).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
});
