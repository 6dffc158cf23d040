import { afterAll, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { jobEnd } from "../support/jobs.ts";
import { openPlaces, triggerOver } from "../support/places.ts";

const { target, proxy, install, startReplica, patchCronJob, close } = await openPlaces("request-counts");
afterAll(close);

/** The requests to the API server that one trigger costs, in their order. */
async function callsOf(place: Parameters<typeof triggerOver>[0], key?: string): Promise<string[]> {
  proxy.requests.length = 0;
  await readTrigger(await triggerOver(place, key));
  return proxy.requests.map(resourceOf);
}

function resourceOf({ method, path }: { method: string; path: string }): string {
  return `${method} ${/\/namespaces\/[^/]+\/([a-z]+)/.exec(path)?.[1]}`;
}

const window = { DEDUPE_WINDOW: "1h" };
const coordinated = ["GET cronjobs", "PUT leases", "POST jobs", "PUT leases"];

test("2 without coordination", async () => {
  const place = await install("alone", idleCronJob("sync"), {}, false);
  for (const _time of [1, 2]) expect(await callsOf(place)).toEqual(["GET cronjobs", "POST jobs"]);
});

test("5 with a record, 4 when its version is known, none for a key that it knows", async () => {
  const place = await install("recorded", idleCronJob("sync"), window);
  expect(await callsOf(place, "1")).toEqual(["GET leases", ...coordinated]);
  expect(await callsOf(place, "2")).toEqual(coordinated);
  expect(await callsOf(place, "1")).toEqual([]);
});

test("a conflict with another replica is counted apart: what is stored is read, and the write is made again", async () => {
  const place = await install("conflict", idleCronJob("sync"), window);
  const replica = { fn: await startReplica(place.namespace, window) };
  await callsOf(place);
  await callsOf(replica);
  const [read, ...rest] = coordinated;
  expect(await callsOf(place)).toEqual([read, "PUT leases", "GET leases", ...rest]);
  expect(await callsOf(place)).toEqual(coordinated);
});

test.each(["forbid", "join"])(
  "%s: 5, or 4 and a look at the Job of before, which is seen ended once",
  async (policy) => {
    const cronJob = syncCronJob("sync", target.syncImage);
    const place = await install(policy, cronJob, { OVERLAP_POLICY: policy });
    const counts: number[] = [];
    for (const key of ["1", "2", "3"]) {
      proxy.requests.length = 0;
      const { job } = await readTrigger(await triggerOver(place, key));
      counts.push(proxy.requests.length);
      await jobEnd(target.api, place.namespace, job.name);
    }
    expect(counts).toEqual([5, 5, 5]);
  },
);

test.each(["forbid", "join"])(
  "%s: a look at each Job that may be unfinished comes on top, and is not needed twice",
  async (policy) => {
    const settings = { ...window, OVERLAP_POLICY: policy };
    const place = await install(`looks ${policy}`, syncCronJob("sync", target.syncImage), { DEDUPE_WINDOW: "1h" });
    for (const key of ["1", "2"]) {
      const { job } = await readTrigger(await triggerOver(place, key));
      await jobEnd(target.api, place.namespace, job.name);
    }
    await patchCronJob(place.namespace, { spec: { jobTemplate: { spec: { suspend: true } } } }); // that of 3 stays unfinished
    const [read, ...rest] = coordinated;
    const cold = { fn: await startReplica(place.namespace, settings) };
    expect(await callsOf(cold, "3")).toEqual(["GET leases", read, "GET jobs", "GET jobs", ...rest]);
    proxy.requests.length = 0;
    const answer = await triggerOver(cold, "4");
    expect(answer.status, "beside the unfinished Job of 3").toBe(policy === "forbid" ? 409 : 200);
    // The Job in the way; then, before a refusal, what the key has made: another replica may have written it, or none.
    expect(proxy.requests.map(resourceOf)).toEqual([read, "GET jobs", "GET leases", "GET jobs"]);
  },
);
