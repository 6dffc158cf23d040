import { describe, expect, test } from "vitest";
import { api, mergePatch } from "./support/cluster.ts";
import { schedulePatch, withoutPage } from "./support/copy-overlay.ts";
import { postEvent } from "./support/events.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install, type Plan } from "./support/install.ts";
import { trigger } from "./support/jobs.ts";
import { readFunctionLog } from "./support/pods.ts";
import { cronJobPath, endOf, listRuns, schedulePing, tickOf, viaOf } from "./support/runs.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

const everyMinute = "* * * * *";
const never = "0 0 29 2 *";
/** Longer than until the next tick, with time for a busy node. */
const tickMs = 180_000;

/** Runs a test in an installation of its own, which stays when the test fails. */
function inInstallation(plan: Plan, work: (installation: Installation) => Promise<void>) {
  return async () => {
    const installation = await install(plan);
    await work(installation);
    await installation.remove();
  };
}

/** The outcomes of the pings that the function was asked for, as far as its pods still tell. */
async function pingOutcomes({ namespace }: Installation): Promise<unknown[]> {
  return (await readFunctionLog(namespace)).filter(({ via }) => via === "ping").map(({ outcome }) => outcome);
}

// Each of these mostly waits for the minute to be over, so they do it together.
describe.concurrent("by the clock", () => {
  const failing = syncCronJob({ schedule: everyMinute, env: { SYNC_FAIL: "trades" } });

  test(
    "a PingSource's tick makes up for a scheduled run that failed, and the next tick does nothing",
    inInstallation(
      { overlay: "kraken", what: "fallback", cronJob: failing, patches: [schedulePatch(never), withoutPage] },
      async (kraken) => {
        const isFailedTick = (run: Parameters<typeof endOf>[0]) => tickOf(run) && endOf(run)?.type === "Failed";
        await eventually("a scheduled run to fail", async () => (await listRuns(kraken)).some(isFailedTick), tickMs);

        await mergePatch(cronJobPath(kraken), syncCronJob());
        await schedulePing(kraken, everyMinute);
        const madeUp = async () => (await listRuns(kraken)).filter((run) => viaOf(run) === "ping");
        await eventually(
          "the fallback to succeed",
          async () => endOf((await madeUp())[0] ?? noRun)?.type === "Complete",
          tickMs,
        );
        await eventually("a tick to be skipped", async () => (await pingOutcomes(kraken)).includes("skipped"), tickMs);
        expect(await madeUp()).toHaveLength(1);
      },
    ),
  );

  test(
    "a manual run counts as a success, and neither delays nor wedges the schedule",
    inInstallation(
      {
        overlay: "kraken",
        what: "schedule",
        cronJob: syncCronJob({ suspend: true }),
        patches: [schedulePatch(never), withoutPage],
      },
      async (kraken) => {
        const request = { ifOlderThan: "1h" };
        const first = await trigger(kraken, { request });
        expect(first.outcome, "no run before it").toBe("created");
        type Status = { lastSuccessfulTime?: string; lastScheduleTime?: string };
        const readStatus = async () => (await api.expect("GET", cronJobPath(kraken))).status as Status;
        await eventually("lastSuccessfulTime", async () => (await readStatus()).lastSuccessfulTime);
        const second = await trigger(kraken, { request });
        expect([second.outcome, second.job]).toEqual(["skipped", null]);

        // Forbid of the CronJob does not see manual runs: this one goes on beside the next tick.
        await mergePatch(cronJobPath(kraken), syncCronJob({ suspend: true, env: { SYNC_SECONDS: "300" } }));
        // The policy may hold to the former template for a moment.
        const { job } = await eventually("a trigger of the changed template", async () => {
          const answer = await trigger(kraken);
          return answer.status === 200 && answer;
        });
        const quick = syncCronJob({ schedule: everyMinute }).spec as object;
        await mergePatch(cronJobPath(kraken), { spec: { ...quick, suspend: false } });
        const nextTick = new Date(Math.floor(Date.parse(job?.createdAt ?? "") / 60_000 + 1) * 60_000);
        const tick = nextTick.toISOString().replace(".000Z", "Z");
        const scheduled = await eventually(
          `the scheduled run of ${tick}`,
          async () => (await listRuns(kraken)).find((run) => tickOf(run) === tick),
          tickMs,
        );
        expect(scheduled.metadata.name).toBe(`${kraken.cronJobName}-${nextTick.getTime() / 60_000}`);
        const manual = (await listRuns(kraken)).find(({ metadata }) => metadata.name === job?.name) ?? noRun;
        expect(endOf(manual), "the manual run still goes on").toBeUndefined();
        await eventually("the CronJob's status", async () => ((await readStatus()).lastScheduleTime ?? "") >= tick);
      },
    ),
  );

  test(
    "with overlays/one-clock a tick gives a run, whatever comes while it goes on is refused, and no two runs overlap",
    inInstallation(
      {
        overlay: "one-clock",
        what: "one-clock",
        cronJob: syncCronJob({ suspend: true, env: { SYNC_SECONDS: "100" } }),
        patches: [schedulePatch(everyMinute), withoutPage],
      },
      async (oneClock) => {
        const runs = () => listRuns(oneClock);
        const [first] = await eventually(
          "the first tick's run",
          async () => {
            const all = await runs();
            return all.length > 0 && all;
          },
          tickMs,
        );
        expect(viaOf(first ?? noRun)).toBe("ping");
        const refused = await trigger(oneClock, { key: "beside" });
        expect([refused.status, refused.job?.name]).toEqual([409, first?.metadata.name]);
        expect(await postEvent(oneClock.brokerUrl, { id: "beside" })).toBe(202);
        await eventually("the tick beside it", async () => (await pingOutcomes(oneClock)).includes("refused"), tickMs);
        expect(await runs()).toHaveLength(1);

        const second = await eventually(
          "the run of a later tick",
          async () => (await runs()).find(({ metadata }) => metadata.name !== first?.metadata.name),
          2 * tickMs,
        );
        expect(viaOf(second)).toBe("ping");
        const ended = (await runs()).find(({ metadata }) => metadata.name === first?.metadata.name) ?? noRun;
        expect(endOf(ended)).toMatchObject({ type: "Complete" });
        expect(Date.parse(second.metadata.creationTimestamp)).toBeGreaterThanOrEqual(
          Date.parse(endOf(ended)?.at ?? ""),
        );
      },
    ),
  );
});

const noRun = { metadata: { name: "", creationTimestamp: "" }, status: {} };
