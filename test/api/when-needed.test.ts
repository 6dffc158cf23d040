import { afterAll, describe, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { listJobs } from "../support/jobs.ts";
import { openPlaces, triggerOver } from "../support/places.ts";

const { target, install, patchCronJob, close } = await openPlaces("when-needed");
afterAll(close);

describe("only when needed", () => {
  test("ifOlderThan skips while the last success is more recent, and runs otherwise", async () => {
    const place = await install("fresh", idleCronJob("sync"), {}, false);
    expect((await readTrigger(await triggerOver(place, "never succeeded", { ifOlderThan: "26h" }))).outcome).toBe(
      "created",
    );
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, "");
    await patchCronJob(place.namespace, { status: { lastSuccessfulTime: hourAgo } }, "/status");
    expect(await readTrigger(await triggerOver(place, "2", { ifOlderThan: "26h" }))).toEqual({
      outcome: "skipped",
      reason: `the CronJob succeeded at ${hourAgo}, which is more recent than asked for`,
      job: null,
      links: {},
    });
    const made = await readTrigger(await triggerOver(place, "2", { ifOlderThan: "30m" }));
    expect(made.outcome).toBe("created");
    expect(await listJobs(target.api, place.namespace)).toHaveLength(2);
  });

  test("a key that made its Job is a duplicate before ifOlderThan is asked", async () => {
    const place = await install("fresh key", idleCronJob("sync"), {}, false);
    const first = await readTrigger(await triggerOver(place, "k", { ifOlderThan: "26h" }));
    const now = new Date().toISOString().replace(/\.\d+/, "");
    await patchCronJob(place.namespace, { status: { lastSuccessfulTime: now } }, "/status");
    expect(await readTrigger(await triggerOver(place, "k", { ifOlderThan: "26h" }))).toEqual({
      ...first,
      outcome: "duplicate",
    });
  });

  test.each([
    ["allow", 200, "created"],
    ["skip", 200, "skipped"],
    ["reject", 409, "refused"],
  ])("a suspended CronJob with SUSPENDED_POLICY %s: %i %s", async (policy, status, outcome) => {
    const place = await install(`suspended ${policy}`, idleCronJob("sync"), { SUSPENDED_POLICY: policy }, false);
    await patchCronJob(place.namespace, { spec: { suspend: true } });
    const answer = await triggerOver(place, "k");
    expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ outcome })]);
    expect(await listJobs(target.api, place.namespace)).toHaveLength(outcome === "created" ? 1 : 0);
  });
});
