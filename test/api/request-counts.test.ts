import { afterAll, describe, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import type { ProxiedRequest } from "../support/fault-proxy.ts";
import { jobEnd } from "../support/jobs.ts";
import { readRecord, writeRecord } from "../support/lease.ts";
import { openPlaces, type Place, triggerOver } from "../support/places.ts";
import { until } from "../support/until.ts";

const { target, proxy, install, startReplica, patchCronJob, close } = await openPlaces("request-counts");
afterAll(close);

const window = { DEDUPE_WINDOW: "1h" };
const coordinated = ["GET cronjobs", "PUT leases", "POST jobs", "PUT leases"];

/** The requests that were counted last: others that come after them belong to nobody. */
let counted: string[] = [];

/** The requests to the API server that one trigger costs, in their order. */
async function callsOf(place: Pick<Place, "fn">, key?: string): Promise<string[]> {
  expect(proxy.requests.map(resourceOf), "nothing is asked for that was not counted").toEqual(counted);
  proxy.requests.length = 0;
  await readTrigger(await triggerOver(place, key));
  counted = proxy.requests.map(resourceOf);
  return [...counted];
}

function resourceOf({ method, path }: ProxiedRequest): string {
  return `${method} ${/\/namespaces\/[^/]+\/([a-z]+)/.exec(path)?.[1]}`;
}

/** Waits for what a process asks for when it starts, before anybody asks it for something: that is no part of any trigger. */
async function started<T>(starting: () => Promise<T>): Promise<T> {
  proxy.requests.length = 0;
  const result = await starting();
  await until("the record to be read", () => proxy.requests.some(({ isOpen }) => !isOpen));
  counted = proxy.requests.map(resourceOf);
  expect(counted, "all that a start asks for").toEqual(["GET leases"]);
  return result;
}

/** Makes a place with a record. */
const open = (...of: Parameters<typeof install>) => started(() => install(...of));

/** Starts one more process there. */
const startCold = ({ namespace }: Place, env: Record<string, string>) =>
  started(async () => ({ fn: await startReplica(namespace, env) }));

test("2 without coordination", async () => {
  const place = await install("alone", idleCronJob("sync"), {}, false);
  for (const _time of [1, 2]) expect(await callsOf(place)).toEqual(["GET cronjobs", "POST jobs"]);
});

test("4 with a record, whose version a process knows from its start, and none for a key that it knows", async () => {
  const place = await open("recorded", idleCronJob("sync"), window);
  const cold = await startCold(place, window);
  expect(await callsOf(cold, "1")).toEqual(coordinated);
  expect(await callsOf(cold, "2")).toEqual(coordinated);
  expect(await callsOf(cold, "1")).toEqual([]);
});

test("5 where the record could not be read when the process started", async () => {
  const place = await open("unread", idleCronJob("sync"), window);
  proxy.rule(({ path }) => (path.includes("/leases/") ? { kind: "answer", status: 403 } : undefined));
  const cold = await startCold(place, window);
  proxy.rule(() => undefined);
  expect(await callsOf(cold, "1")).toEqual(["GET leases", ...coordinated]);
  expect(await callsOf(cold, "2")).toEqual(coordinated);
});

test("a conflict with another replica is counted apart: what is stored is read, and the write is made again", async () => {
  const place = await open("conflict", idleCronJob("sync"), window);
  const replica = await startCold(place, window);
  expect(await callsOf(place)).toEqual(coordinated);
  const [read, ...rest] = coordinated;
  for (const next of [replica, place]) {
    expect(await callsOf(next)).toEqual([read, "PUT leases", "GET leases", ...rest]);
    expect(await callsOf(next)).toEqual(coordinated);
  }
});

describe.each(["forbid", "join"])("%s", (policy) => {
  const [read, ...rest] = coordinated;

  test("5: 4 and a look at the Job of before, which is seen ended once", async () => {
    const env = { OVERLAP_POLICY: policy };
    const place = await open(policy, syncCronJob("sync", target.syncImage), env);
    const calls: string[][] = [];
    for (const fn of [place, place, await startCold(place, env)]) {
      proxy.requests.length = 0;
      const { job } = await readTrigger(await triggerOver(fn));
      calls.push(proxy.requests.map(resourceOf));
      await jobEnd(target.api, place.namespace, job.name);
    }
    expect(calls[0]).toEqual(coordinated);
    expect(calls[1]).toEqual([read, "GET jobs", ...rest]);
    // The process was started before the second Job was made: what it read then is out of date.
    expect(calls[2]).toEqual([read, "PUT leases", "GET leases", "GET jobs", ...rest]);
  });

  test("5 for the first trigger of a process that has just started, beside one Job that nobody has seen ended", async () => {
    const env = { OVERLAP_POLICY: policy };
    const place = await open(`cold ${policy}`, syncCronJob("sync", target.syncImage), env);
    const { job } = await readTrigger(await triggerOver(place));
    await jobEnd(target.api, place.namespace, job.name);
    expect(await callsOf(await startCold(place, env))).toEqual([read, "GET jobs", ...rest]);
  });

  test("a look comes on top for each further Job that allow has made, and is not needed twice", async () => {
    const place = await open(`looks ${policy}`, syncCronJob("sync", target.syncImage), window);
    for (const key of ["1", "2", "3"]) {
      const { job } = await readTrigger(await triggerOver(place, key));
      await jobEnd(target.api, place.namespace, job.name);
    }
    await patchCronJob(place.namespace, { spec: { jobTemplate: { spec: { suspend: true } } } }); // that of 4 stays unfinished
    const cold = await startCold(place, { ...window, OVERLAP_POLICY: policy });
    expect(await callsOf(cold, "4")).toEqual([read, "GET jobs", "GET jobs", "GET jobs", ...rest]);
    proxy.requests.length = 0;
    const answer = await triggerOver(cold, "5");
    expect(answer.status, "beside the unfinished Job of 4").toBe(policy === "forbid" ? 409 : 200);
    // The Job in the way; then, before a refusal, what the key has made: another replica may have written it, or none.
    expect(proxy.requests.map(resourceOf)).toEqual([read, "GET jobs", "GET leases", "GET jobs"]);
  });
});

test("5 with allow beside keys whose time is over: 4 and one look, and as many keys go as come", async () => {
  const place = await open("expired", syncCronJob("sync", target.syncImage), window);
  for (const key of ["1", "2", "3"]) {
    const { job } = await readTrigger(await triggerOver(place, key));
    await jobEnd(target.api, place.namespace, job.name);
  }
  const record = await readRecord(target.api, place.namespace);
  const expired = record.map((line) => line.replace(/ \d{8}T\d{6}Z /, " 20200101T000000Z "));
  await writeRecord(target.api, place.namespace, expired);
  const cold = await startCold(place, window);
  let made = 0;
  await until("the expired keys to be gone", async () => {
    made += 1;
    const calls = await callsOf(cold, `new ${made}`);
    expect(calls.sort(), "the look is made beside the create").toEqual([...coordinated, "GET jobs"].sort());
    return !(await readRecord(target.api, place.namespace)).some((line) => line.includes(" 20200101T"));
  });
  expect(await callsOf(cold)).toEqual(coordinated);
  expect(await readRecord(target.api, place.namespace)).toHaveLength(made + 1);
});
