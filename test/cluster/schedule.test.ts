import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { JsonObject } from "../../functions/core/json.ts";
import { readTrigger } from "../support/answers.ts";
import { syncCronJob } from "../support/cronjobs.ts";
import { jobEnd, listJobs } from "../support/jobs.ts";
import { openPlaces, type Place, triggerOver } from "../support/places.ts";
import { until } from "../support/until.ts";

// What the real CronJob controller does beside our Jobs, and we beside its. test/knative/clocks has the same with a real
// PingSource.

const { target, install, startReplica, patchCronJob, close } = await openPlaces("schedule");
afterAll(close);

const everyMinute = "* * * * *";
const minuteMs = 60_000;
/** The controller's own lateness on a machine with much to do; a tick that was put off comes a minute later. */
const onTimeMs = 50_000;
/** And how much later than a CronJob without manual Jobs: creation times have whole seconds, and the queue some workers. */
const besideMs = 5_000;
/** Longer than until the next tick, with time for a busy node. */
const tickMs = 120_000;

type Run = {
  metadata: {
    name: string;
    creationTimestamp: string;
    annotations?: Record<string, string>;
    ownerReferences?: { name: string }[];
  };
  status: { startTime?: string; completionTime?: string; conditions?: { type: string; status: string }[] };
};

const runsOf = async ({ namespace }: Place) => (await listJobs(target.api, namespace)) as unknown as Run[];
const tickOf = ({ metadata }: Run) => metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"];
const ownerOf = ({ metadata }: Run) => metadata.ownerReferences?.[0]?.name;
const createdMs = ({ metadata }: Run) => Date.parse(metadata.creationTimestamp);
const viaOf = ({ metadata }: Run) => metadata.annotations?.["sync-trigger.internal/via"];
const hasEnded = ({ status }: Run, type: string) =>
  status.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

/** The example's CronJob by a schedule, or suspended. */
function cronJobBy(
  schedule: string,
  { suspend = false, env = {}, name = "sync" }: { suspend?: boolean; env?: Record<string, string>; name?: string },
) {
  const cronJob = syncCronJob(name, target.syncImage, env);
  Object.assign(cronJob.spec as JsonObject, { schedule, suspend });
  return cronJob;
}

async function statusOf({ namespace }: Place): Promise<JsonObject> {
  const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/sync`;
  return ((await target.api.expect("GET", path)).status ?? {}) as JsonObject;
}

/** The request of the shipped PingSource of a component. */
function pingData(component: string): string {
  const file = join(import.meta.dirname, `../../manifests/components/${component}/ping-source.yaml`);
  return (parse(readFileSync(file, "utf8")) as { spec: { data: string } }).spec.data;
}

/** What the PingSource adapter sends at a tick; gives the outcome that the function logs. */
async function ping({ fn }: Pick<Place, "fn">, atMs: number, data: string): Promise<unknown> {
  const id = crypto.randomUUID();
  const answer = await fetch(fn.url, {
    method: "POST",
    headers: {
      ...{ "ce-specversion": "1.0", "ce-id": id, "ce-type": "dev.knative.sources.ping", "ce-source": "/pings" },
      ...{ "ce-time": new Date(atMs).toISOString(), "content-type": "application/json", "x-request-id": id },
    },
    body: data,
  });
  expect([answer.status, await answer.text()]).toEqual([202, ""]);
  return (await until("the request's log line", () => fn.log.find((line) => line.id === id))).outcome;
}

// Each of these mostly waits for the minute to be over, so they do it together.
describe.concurrent("by the clock", () => {
  test("a manual run counts as a success, and neither delays nor wedges the schedule", async () => {
    const place = await install("schedule", cronJobBy(everyMinute, { suspend: true }), {}, false);
    const fresh = { ifOlderThan: "1h" };
    expect((await readTrigger(await triggerOver(place, "1", fresh))).outcome, "no success before").toBe("created");
    await until("lastSuccessfulTime", async () => (await statusOf(place)).lastSuccessfulTime, tickMs);
    expect((await readTrigger(await triggerOver(place, "2", fresh))).outcome).toBe("skipped");

    const withEnv = (env: Record<string, string>, more: object) => {
      const { jobTemplate } = cronJobBy(everyMinute, { env }).spec as JsonObject;
      return patchCronJob(place.namespace, { spec: { jobTemplate, ...more } });
    };
    await withEnv({ SYNC_SECONDS: "300" }, {});
    const { job } = await readTrigger(await triggerOver(place, "3"));
    await target.seedCronJob(place.namespace, cronJobBy(everyMinute, { name: "beside", env: { SYNC_SECONDS: "0" } }));
    await withEnv({ SYNC_SECONDS: "0" }, { suspend: false, concurrencyPolicy: "Forbid" });
    const firstTickMs = Math.ceil(Date.now() / minuteMs) * minuteMs;
    for (const tickAtMs of [firstTickMs, firstTickMs + minuteMs]) {
      const tick = new Date(tickAtMs).toISOString().replace(".000Z", "Z");
      const runAtTick = (cronJob: string) =>
        until(
          `${cronJob}'s scheduled run of ${tick}`,
          async () => (await runsOf(place)).find((run) => tickOf(run) === tick && ownerOf(run) === cronJob),
          tickMs,
        );
      const [scheduled, beside] = await Promise.all([runAtTick("sync"), runAtTick("beside")]);
      expect(scheduled.metadata.name).toBe(`sync-${tickAtMs / minuteMs}`);
      expect(createdMs(scheduled), "on time").toBeLessThan(tickAtMs + onTimeMs);
      expect(createdMs(scheduled), "as a CronJob that has no manual run").toBeLessThan(createdMs(beside) + besideMs);
      expect(await jobEnd(target.api, place.namespace, scheduled.metadata.name)).toBe("Complete");
      await until("the CronJob's status", async () => String((await statusOf(place)).lastScheduleTime) >= tick);
    }
    const manual = (await runsOf(place)).find(({ metadata }) => metadata.name === job.name);
    expect(manual && hasEnded(manual, "Complete"), "the manual run still goes on").toBe(false);
  });

  test("a scheduled run that failed is made up for at each tick of the fallback until one succeeds", async () => {
    const failing = { SYNC_FAIL: "trades" };
    const place = await install("fallback", cronJobBy(everyMinute, { env: failing }), { DEDUPE_WINDOW: "1d" });
    const isFailedTick = (run: Run) => tickOf(run) !== undefined && hasEnded(run, "Failed");
    await until("a scheduled run to fail", async () => (await runsOf(place)).some(isFailedTick), tickMs);
    await patchCronJob(place.namespace, { spec: { schedule: "0 0 29 2 *" } });
    await until("every scheduled run to have ended", async () => (await runsOf(place)).every(isFailedTick), tickMs);

    const data = pingData("ping-fallback");
    const tick = (index: number) => Date.now() + index * 30 * minuteMs;
    const madeUp = async () => (await runsOf(place)).filter((run) => viaOf(run) === "ping");
    expect(await ping(place, tick(0), data)).toBe("created");
    await until("it to fail too", async () => (await madeUp()).every((run) => hasEnded(run, "Failed")), tickMs);
    const { jobTemplate } = cronJobBy(everyMinute, {}).spec as JsonObject;
    await patchCronJob(place.namespace, { spec: { jobTemplate } });
    expect(await ping(place, tick(1), data)).toBe("created");
    await until("it to succeed", async () => (await madeUp()).some((run) => hasEnded(run, "Complete")), tickMs);
    await until("lastSuccessfulTime", async () => (await statusOf(place)).lastSuccessfulTime, tickMs);
    expect(await ping(place, tick(2), data)).toBe("skipped");
    expect(await madeUp()).toHaveLength(2);
  });

  test("with a suspended CronJob and pings as the one clock no two runs overlap, over a tick of the schedule", async () => {
    const env = { DEDUPE_WINDOW: "1d", OVERLAP_POLICY: "forbid" };
    const place = await install(
      "one clock",
      cronJobBy(everyMinute, { suspend: true, env: { SYNC_SECONDS: "4" } }),
      env,
    );
    const replica = { fn: await startReplica(place.namespace, env) };
    const overMs = Math.ceil(Date.now() / minuteMs) * minuteMs + 5_000;
    const outcomes: unknown[] = [];
    for (let round = 0; Date.now() < overMs || round < 4; round += 1) {
      for (const _time of ["when the last run has ended", "while one goes on"]) {
        const asked = [place, replica].map(
          async (one) => ((await (await triggerOver(one)).json()) as JsonObject).outcome,
        );
        outcomes.push(...(await Promise.all([ping(place, round * minuteMs, pingData("one-clock")), ...asked])));
      }
      await Promise.all(
        (await runsOf(place)).map(({ metadata }) => jobEnd(target.api, place.namespace, metadata.name)),
      );
    }
    expect(outcomes).toEqual(expect.arrayContaining(["created", "refused"]));
    const runs = await runsOf(place);
    const spans = runs
      .map(({ status }) => [Date.parse(status.startTime ?? ""), Date.parse(status.completionTime ?? "")] as const)
      .sort(([a], [b]) => a - b);
    expect(spans.length).toBe(outcomes.filter((outcome) => outcome === "created").length);
    for (const [index, [startMs]] of spans.entries()) {
      if (index > 0) expect(startMs).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? Number.NaN);
    }
    expect(runs.filter((run) => tickOf(run) !== undefined)).toEqual([]);
  });
});
