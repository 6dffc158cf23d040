import { setTimeout as pass } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApiServer, stopApiServer } from "../cluster/apiserver.ts";
import { schedulePatch, withoutPage } from "./support/copy-overlay.ts";
import { postEvent, untilBrokerDelivers } from "./support/events.ts";
import { type Installation, install } from "./support/install.ts";
import { countJobsBy, trigger } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { readFunctionLog, untilZero } from "./support/pods.ts";
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

// Only an API server of our own can be stopped.
describe.skipIf(process.env.TEST_KUBE_CONTEXT)("while the API server is down for 120 s", () => {
  let warm: Installation;
  let cold: Installation;
  let atOnce: { warm: ReturnType<typeof postEvents>; cold: ReturnType<typeof postEvents> };
  let after60S: typeof atOnce;
  let statusesOfWarm: unknown[];

  beforeAll(async () => {
    const plan = {
      overlay: "kraken",
      cronJob: syncCronJob({ isIdle: true }),
      patches: [schedulePatch("0 0 29 2 *"), withoutPage],
    } as const;
    const copy = { ...plan, patches: [...plan.patches] };
    [warm, cold] = await Promise.all([install({ ...copy, what: "warm" }), install({ ...copy, what: "cold" })]);
    await Promise.all([warm, cold].map(untilBrokerDelivers));
    await untilZero(cold.namespace);
    expect((await trigger(warm)).status).toBe(200);

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
    console.log(JSON.stringify({ answers, counts, at: Date.now(), log: await readFunctionLog(warm.namespace), pods: (await import("./support/pods.ts")).listFunctionPods && (await (await import("./support/pods.ts")).listFunctionPods(warm.namespace)).map((p:any)=>({n:p.metadata.name,d:p.metadata.deletionTimestamp,s:p.status})) }));
    expect(answers).toEqual(ids.map(() => 202));
    expect(ids.map((id) => [id, counts[id]])).toEqual(ids.map((id) => [id, 1]));
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
