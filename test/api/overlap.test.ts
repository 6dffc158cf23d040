import { afterAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem, readTrigger } from "../support/answers.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import type { FunctionProcess } from "../support/function-process.ts";
import { jobEnd, listJobs } from "../support/jobs.ts";
import { openPlaces, triggerOver } from "../support/places.ts";
import { until } from "../support/until.ts";

const places = await openPlaces("overlap");
const { target, install, startReplica, startScheduledJob, deleteJob, patchCronJob, close } = places;
afterAll(close);

describe("while a Job is unfinished", () => {
  test.each(["allow", "forbid", "join", "inherit"])(
    "a redelivery of its own key is a duplicate under %s",
    async (policy) => {
      const place = await install(`own ${policy}`, idleCronJob("sync"), { OVERLAP_POLICY: policy });
      const first = await readTrigger(await triggerOver(place, "k"));
      expect(await readTrigger(await triggerOver(place, "k"))).toEqual({ ...first, outcome: "duplicate" });
      const replica = { fn: await startReplica(place.namespace, { OVERLAP_POLICY: policy }) };
      expect(await readTrigger(await triggerOver(replica, "k"))).toEqual({ ...first, outcome: "duplicate" });
    },
  );

  test("forbid refuses another key with 409 naming the Job, and drops an event; afterwards it runs again", async () => {
    const cronJob = syncCronJob("sync", target.syncImage, { SYNC_SECONDS: "3" });
    const place = await install("forbid", cronJob, { OVERLAP_POLICY: "forbid" });
    const { job } = await readTrigger(await triggerOver(place, "1"));
    const refused = await triggerOver(place, "2");
    expect(refused.status).toBe(409);
    expect(await readProblem(refused)).toMatchObject({
      type: "urn:sync-trigger:refused",
      detail: `Job ${job.name} is unfinished`,
      outcome: "refused",
      job,
    });
    const headers = { "ce-specversion": "1.0", "ce-type": "a", "ce-source": "/s", "ce-id": "1" };
    const event = await fetch(place.fn.url, { method: "POST", headers });
    expect([event.status, await event.text()]).toEqual([202, ""]);
    expect(await listJobs(target.api, place.namespace)).toHaveLength(1);

    expect(await jobEnd(target.api, place.namespace, job.name)).toBe("Complete");
    expect((await readTrigger(await triggerOver(place, "2"))).outcome).toBe("created");
  });

  test("join answers another key with that Job", async () => {
    const place = await install("join", idleCronJob("sync"), { OVERLAP_POLICY: "join" });
    const { job } = await readTrigger(await triggerOver(place, "1"));
    expect(await readTrigger(await triggerOver(place, "2"))).toMatchObject({
      outcome: "joined",
      reason: `Job ${job.name} is unfinished`,
      job,
    });
  });

  test("a request can ask for another policy than the setting's", async () => {
    const place = await install("per request", idleCronJob("sync"), { DEDUPE_WINDOW: "1h" });
    const { job } = await readTrigger(await triggerOver(place, "1"));
    expect(await readTrigger(await triggerOver(place, "2", { onOverlap: "join" }))).toMatchObject({
      outcome: "joined",
      job,
    });
    expect((await triggerOver(place, "3", { onOverlap: "forbid" })).status).toBe(409);
    expect((await readTrigger(await triggerOver(place, "4", { onOverlap: "allow" }))).outcome).toBe("created");
  });

  test("a policy that needs the record is a 422 where no setting asks for one", async () => {
    const place = await install("no record", idleCronJob("sync"), {}, false);
    const answer = await triggerOver(place, "1", { onOverlap: "forbid" });
    expect([answer.status, (await readProblem(answer)).detail]).toEqual([
      422,
      expect.stringContaining("DEDUPE_WINDOW"),
    ]);
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test.each([
    ["Forbid", 409],
    ["Allow", 200],
    ["Replace", 422],
  ])("inherit does what the CronJob's own %s says: %i", async (concurrencyPolicy, status) => {
    const cronJob = idleCronJob("sync");
    Object.assign(cronJob.spec as JsonObject, { concurrencyPolicy: "Allow" });
    const place = await install(`inherit ${concurrencyPolicy}`, cronJob, { OVERLAP_POLICY: "inherit" });
    await readTrigger(await triggerOver(place, "1"));
    await patchCronJob(place.namespace, { spec: { concurrencyPolicy } });
    expect((await triggerOver(place, "2")).status).toBe(status);
  });

  test("a scheduled Job counts too, as long as the CronJob's status calls it active", async () => {
    const place = await install("scheduled", idleCronJob("sync"), { OVERLAP_POLICY: "forbid" });
    const name = await startScheduledJob(place.namespace);
    const refused = await triggerOver(place, "1");
    expect([refused.status, (await readProblem(refused)).detail]).toEqual([409, `Job ${name} is unfinished`]);
    await deleteJob(place.namespace, name);
    expect((await readTrigger(await triggerOver(place, "1"))).outcome).toBe("created");
  });

  test("of 90 keys at once over three replicas exactly one runs: forbid refuses the others, join names it", async () => {
    for (const policy of ["forbid", "join"]) {
      const place = await install(`race ${policy}`, idleCronJob("sync"), { OVERLAP_POLICY: policy });
      const env = { OVERLAP_POLICY: policy };
      const replicas = [place.fn, await startReplica(place.namespace, env), await startReplica(place.namespace, env)];
      const ask = async (index: number) => {
        const answer = await triggerOver({ fn: replicas[index % 3] as FunctionProcess }, `key ${index}`);
        return answer.status === 503 ? undefined : answer; // the one that runs is slow to come: its Job is waited for 3 s
      };
      const answers = await Promise.all(
        Array.from({ length: 90 }, (_, index) => until(`an answer for key ${index}`, () => ask(index), 60_000)),
      );
      const jobs = await listJobs(target.api, place.namespace);
      expect(jobs).toHaveLength(1);
      const statuses = answers.map(({ status }) => status);
      const expected = policy === "join" ? Array(90).fill(200) : [200, ...Array(89).fill(409)];
      expect(statuses.sort()).toEqual(expected);
      const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { job: { uid: string } }[];
      expect(new Set(bodies.map(({ job }) => job.uid)).size).toBe(1);
    }
  });
});
