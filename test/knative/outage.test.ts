import { setTimeout as pass } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApiServer, stopApiServer } from "../cluster/apiserver.ts";
import { keptWarm, schedulePatch, withoutPage } from "./support/copy-overlay.ts";
import { postEvent, untilBrokerDelivers } from "./support/events.ts";
import { type Installation, install } from "./support/install.ts";
import { countJobsBy, trigger } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { listLivePods, readFunctionLog, untilZero } from "./support/pods.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

/** All attempts of the shipped Triggers' delivery and what each may take; the Broker answers when they are over. */
const deliveryMs = 400_000;
const eventsEach = 5;

/** Posts some events at once and gives the Broker's answers, later. */
function postEvents({ brokerUrl }: Installation, prefix: string) {
  const ids = Array.from({ length: eventsEach }, (_, index) => `${prefix}-${index}`);
  const answers = ids.map((id) => postEvent(brokerUrl, { id }, deliveryMs).catch((error: Error) => error.message));
  return { ids, statuses: Promise.all(answers) };
}

/** For each event, when it arrived at the function and how it was answered. */
async function listAttempts(namespace: string): Promise<Record<string, string[]>> {
  const attempts: Record<string, string[]> = {};
  for (const { event, time, status } of await readFunctionLog(namespace)) {
    const id = (event as { id: string } | undefined)?.id;
    if (id !== undefined) attempts[id] = [...(attempts[id] ?? []), `${time} ${status}`];
  }
  return attempts;
}

// Only an API server of our own can be stopped.
describe.skipIf(process.env.TEST_KUBE_CONTEXT)("while the API server is down for 120 s", () => {
  let warm: Installation;
  let cold: Installation;
  let atOnce: { warm: ReturnType<typeof postEvents>; cold: ReturnType<typeof postEvents> };
  let after60S: typeof atOnce;
  let statusesOfWarm: unknown[];
  let podsBefore: string[];

  beforeAll(async () => {
    const plan = { overlay: "kraken", cronJob: syncCronJob({ isIdle: true }) } as const;
    const patches = [schedulePatch("0 0 29 2 *"), withoutPage];
    // Between the last attempts lie 100 s, in which the autoscaler would take the pod away.
    [warm, cold] = await Promise.all([
      install({ ...plan, what: "warm", patches: [...patches, keptWarm] }),
      install({ ...plan, what: "cold", patches }),
    ]);
    await Promise.all([warm, cold].map(untilBrokerDelivers));
    await untilZero(cold.namespace);
    expect((await trigger(warm)).status).toBe(200);
    podsBefore = (await listLivePods(warm.namespace)).map(({ metadata }) => metadata.uid);

    await stopApiServer();
    try {
      atOnce = { warm: postEvents(warm, "120-s"), cold: postEvents(cold, "120-s") };
      await pass(60_000);
      after60S = { warm: postEvents(warm, "60-s"), cold: postEvents(cold, "60-s") };
      await pass(60_000);
    } finally {
      await startApiServer();
    }
    const lines = await readFunctionLog(warm.namespace);
    statusesOfWarm = lines.filter(({ event }) => event !== undefined).map(({ status }) => status);
  });
  afterAll(startApiServer);
  removeAfterwards(() => [warm, cold]);

  test("the warm pod answers each attempt that it may be repeated", () => {
    expect(statusesOfWarm.length).toBeGreaterThan(2 * eventsEach);
    expect([...new Set(statusesOfWarm)].filter((status) => ![202, 503].includes(Number(status)))).toEqual([]);
    expect(statusesOfWarm).toContain(503);
  });

  test.each([
    ["120 s before it is back", () => atOnce],
    ["60 s before it is back", () => after60S],
  ])("with one pod warm, events posted %s become one Job each", async (_when, posts) => {
    const { ids, statuses } = posts().warm;
    const answers = await statuses;
    const counts = await countJobsBy("event-id", warm.namespace);
    const attempts = await listAttempts(warm.namespace);
    const outcome = ids.map((id, index) => ({ id, answer: answers[index], jobs: counts[id] }));
    const told = ids.map((id) => `${id}: ${attempts[id] ?? "no attempt arrived"}`).join("\n");
    expect(outcome, told).toEqual(ids.map((id) => ({ id, answer: 202, jobs: 1 })));
  });

  test("the warm pod is the same one all the time", async () => {
    expect(podsBefore).toHaveLength(1);
    expect((await listLivePods(warm.namespace)).map(({ metadata }) => metadata.uid)).toEqual(podsBefore);
  });

  test("from zero pods, no event becomes two Jobs; how many become one is written down", async () => {
    for (const [when, { ids, statuses }] of [["120 s", atOnce.cold] as const, ["60 s", after60S.cold] as const]) {
      const answers = await statuses;
      const counts = await countJobsBy("event-id", cold.namespace);
      const made = ids.filter((id) => counts[id] === 1);
      console.log(
        `from zero pods, posted ${when} before: ${made.length} of ${ids.length} became a Job, answers ${answers}`,
      );
      expect(ids.filter((id) => (counts[id] ?? 0) > 1)).toEqual([]);
    }
  });
});
