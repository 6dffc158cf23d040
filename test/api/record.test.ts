import { afterAll, describe, expect, test } from "vitest";
import { hasEnded } from "../../functions/core/decide.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem, readTrigger } from "../support/answers.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import { createLease, readRecord, writeRecord } from "../support/lease.ts";
import { openPlaces, triggerOver } from "../support/places.ts";
import { until } from "../support/until.ts";

const { target, proxy, install, startReplica, deleteJob, untilGone, close } = await openPlaces("record");
afterAll(close);

describe("with DEDUPE_WINDOW a key is remembered whatever happens to its Job", () => {
  const window = { DEDUPE_WINDOW: "1h" };

  test("after a person deleted it: the same answer, no Job", async () => {
    const place = await install("by hand", idleCronJob("sync"), window);
    const first = await readTrigger(await triggerOver(place, "k"));
    await deleteJob(place.namespace, first.job.name);
    const again = await triggerOver(place, "k");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await readTrigger(again)).toEqual({ ...first, outcome: "duplicate" });
    expect(await listJobs(target.api, place.namespace)).toEqual([]);

    const replica = { fn: await startReplica(place.namespace, window) };
    expect(await readTrigger(await triggerOver(replica, "k"))).toEqual({ ...first, outcome: "duplicate" });
    expect((await readProblem(await triggerOver(replica, "k", { ifOlderThan: "1h" }))).type).toBe(
      "urn:sync-trigger:key-reused",
    );
  });

  test.each([
    ["TTL 0", { ttlSecondsAfterFinished: 0 }, {}],
    ["a history limit of 0", {}, { successfulJobsHistoryLimit: 0 }],
  ])("after %s removed it", async (what, ofJob, ofCronJob) => {
    const cronJob = syncCronJob("sync", target.syncImage);
    const spec = cronJob.spec as JsonObject;
    Object.assign(spec, ofCronJob);
    Object.assign((spec.jobTemplate as JsonObject).spec as JsonObject, ofJob);
    const place = await install(what, cronJob, window);
    const first = await readTrigger(await triggerOver(place, "k"));
    await untilGone(place.namespace, first.job.name);
    expect(await readTrigger(await triggerOver(place, "k"))).toEqual({ ...first, outcome: "duplicate" });
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test("after a history limit of 1 removed it", async () => {
    const cronJob = syncCronJob("sync", target.syncImage);
    Object.assign(cronJob.spec as JsonObject, { successfulJobsHistoryLimit: 1 });
    const place = await install("history limit of 1", cronJob, window);
    const made = new Map<string, Awaited<ReturnType<typeof readTrigger>>>();
    for (const key of ["1", "2"]) {
      const answer = await readTrigger(await triggerOver(place, key));
      made.set(key, answer);
      await until(`the Job of key ${key} to have ended`, () => hasEndedOrGone(place.namespace, answer.job.name));
    }
    // The older one, and of two that began in the same second either.
    const [left] = await until("one Job to be left", async () => {
      const jobs = await listJobs(target.api, place.namespace);
      return jobs.length === 1 && jobs;
    });
    const { uid } = metadataOf(left);
    const [key, removed] = [...made].find(([, answer]) => answer.job.uid !== uid) ?? [];
    expect(await readTrigger(await triggerOver(place, key))).toEqual({ ...removed, outcome: "duplicate" });
    expect((await listJobs(target.api, place.namespace)).map((job) => metadataOf(job).uid)).toEqual([uid]);
  });

  test("until the window is over: then a Job again", async () => {
    const place = await install("expired", idleCronJob("sync"), window);
    const first = await readTrigger(await triggerOver(place, "k"));
    await deleteJob(place.namespace, first.job.name);
    const [line = ""] = await readRecord(target.api, place.namespace);
    await writeRecord(target.api, place.namespace, [line.replace(/ \d{8}T\d{6}Z /, " 20200101T000000Z ")]);
    const second = await readTrigger(await triggerOver({ fn: await startReplica(place.namespace, window) }, "k"));
    expect([second.outcome, second.job.name]).toEqual(["created", first.job.name]);
    expect(second.job.uid).not.toBe(first.job.uid);
  });

  test("a key whose maker died before its Job was stored runs under the same name, when no create can come any more", async () => {
    const place = await install("pending", idleCronJob("sync"), window);
    proxy.rule(({ method }) => (method === "POST" ? { kind: "reset" } : undefined));
    expect((await triggerOver(place, "k")).status).toBe(504);
    proxy.rule(() => undefined);
    const early = await triggerOver(place, "k");
    expect([early.status, (await readProblem(early)).type]).toEqual([503, "urn:sync-trigger:in-flight"]);
    const [line = ""] = await readRecord(target.api, place.namespace);
    expect(line.split(" ")[1]).toBe("P");
    await writeRecord(target.api, place.namespace, [line.replace(/ \d{8}T\d{6}Z /, ` ${compactTime(30_000)} `)]);
    expect((await readTrigger(await triggerOver(place, "k"))).outcome).toBe("created");
    expect((await readRecord(target.api, place.namespace)).map((line) => line.split(" ")[1])).toEqual(["D"]);
  });

  test("a create that arrives after its sender was answered 504 makes no second Job", async () => {
    const env = { ...window, API_TIMEOUT_MS: "1000" };
    const place = await install("late create", idleCronJob("sync"), env);
    const late = Promise.withResolvers<void>();
    const creates = () => proxy.requests.filter(({ method }) => method === "POST");
    proxy.requests.length = 0;
    proxy.rule(({ method }) => {
      if (method !== "POST") return undefined;
      return creates().length === 1 ? { kind: "hold", until: late.promise } : { kind: "reset" };
    });
    expect((await triggerOver(place, "k")).status).toBe(504);
    proxy.rule(() => undefined);

    const lookedBefore = proxy.requests.filter(isLook).length;
    const again = triggerOver(place, "k");
    const looks = until("a look for the Job", () => proxy.requests.filter(isLook).length > lookedBefore);
    expect(await Promise.race([again.then(({ status }) => status), looks.then(() => "waits for it")])).toBe(
      "waits for it",
    );
    late.resolve();
    const { outcome, job } = await readTrigger(await again);
    expect(outcome).toBe("duplicate");
    await deleteJob(place.namespace, job.name);
    await until("every create to have arrived", () => creates().every(({ isOpen }) => !isOpen));
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test("two deliveries at once make one Job, even if that is removed while one of them is on its way", async () => {
    const place = await install("at once", idleCronJob("sync"), window);
    const replica = { fn: await startReplica(place.namespace, window) };
    const isCreate = ({ method, path }: { method: string; path: string }) =>
      method === "POST" && path.includes(`/${place.namespace}/jobs`);
    const bothThere = Promise.withResolvers<void>();
    proxy.requests.length = 0;
    proxy.rule((request) => (isCreate(request) ? { kind: "hold", until: bothThere.promise } : undefined));
    const first = triggerOver(place, "k");
    await until("the first create to be on its way", () => proxy.requests.some(isCreate));
    const second = triggerOver(replica, "k");
    await until("the second one to wait for its Job", () => proxy.requests.some(isLook));
    bothThere.resolve();
    const [job] = await until("a Job", async () => {
      const jobs = await listJobs(target.api, place.namespace);
      return jobs.length > 0 && jobs;
    });
    await deleteJob(place.namespace, metadataOf(job).name);
    const answers = await Promise.all([readTrigger(await first), readTrigger(await second)]);
    expect(answers.map((answer) => answer.job.uid)).toEqual([metadataOf(job).uid, metadataOf(job).uid]);
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });

  test("a create that was refused leaves nothing behind that stands in another key's way", async () => {
    const place = await install("released", idleCronJob("sync"), { ...window, OVERLAP_POLICY: "forbid" });
    const body = { kind: "Status", apiVersion: "v1", reason: "Forbidden", message: "exceeded quota: q" };
    proxy.rule(({ method }) => (method === "POST" ? { kind: "answer", status: 403, body } : undefined));
    expect((await readProblem(await triggerOver(place, "1"))).type).toBe("urn:sync-trigger:api-refused");
    expect((await readProblem(await triggerOver(place, "2"))).type).toBe("urn:sync-trigger:api-refused");
    proxy.rule(() => undefined);
    expect((await readTrigger(await triggerOver(place, "3"))).outcome).toBe("created");
  });

  test("and success is answered only after it is written", async () => {
    const place = await install("unwritten", idleCronJob("sync"), window);
    let writes = 0;
    proxy.rule(({ method }) => {
      writes += method === "PUT" ? 1 : 0;
      return method === "PUT" && writes > 1 ? { kind: "reset" } : undefined;
    });
    expect((await triggerOver(place, "k")).status).toBe(503);
    proxy.rule(() => undefined);
    const [job] = await listJobs(target.api, place.namespace);
    const again = await readTrigger(await triggerOver(place, "k"));
    expect([again.outcome, again.job.uid]).toEqual(["duplicate", metadataOf(job).uid]);
  });

  test("a full record answers 503 until the oldest key has expired and its Job has ended, and loses nothing", async () => {
    const place = await install("full", idleCronJob("sync"), { ...window, DEDUPE_MAX_KEYS: "2" });
    const first = await readTrigger(await triggerOver(place, "1"));
    await readTrigger(await triggerOver(place, "2"));
    const refused = await triggerOver(place, "3");
    expect([refused.status, (await readProblem(refused)).type]).toEqual([503, "urn:sync-trigger:record-full"]);
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
    expect(await readTrigger(await triggerOver(place, "1"))).toEqual({ ...first, outcome: "duplicate" });

    const [oldest = "", ...rest] = await readRecord(target.api, place.namespace);
    await writeRecord(target.api, place.namespace, [oldest.replace(/ \d{8}T\d{6}Z /, " 20200101T000000Z "), ...rest]);
    const beside = await triggerOver(place, "3");
    expect([beside.status, beside.headers.get("retry-after")], "the first Job goes on").toEqual([503, "60"]);
    await deleteJob(place.namespace, first.job.name);
    expect((await readTrigger(await triggerOver(place, "3"))).outcome).toBe("created");
  });

  test("a Lease that is missing or cannot be read is a 502 that says what to do, and no Job", async () => {
    const place = await install("no lease", idleCronJob("sync"), window, false);
    expect((await readProblem(await triggerOver(place, "k"))).detail).toContain("manifests/components/exactly-once");
    await createLease(target.api, place.namespace);
    await writeRecord(target.api, place.namespace, ["what is this"]);
    const answer = await triggerOver(place, "k");
    expect([answer.status, (await readProblem(answer)).detail]).toEqual([502, expect.stringContaining("line 1")]);
    expect(await listJobs(target.api, place.namespace)).toEqual([]);
  });
});

/** A time of so long ago as the record writes it. */
function compactTime(agoMs: number): string {
  return new Date(Date.now() - agoMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

async function hasEndedOrGone(namespace: string, name: string): Promise<boolean> {
  const { status, body } = await target.api.call("GET", `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
  return status === 404 || hasEnded(body);
}

function isLook({ method, path }: { method: string; path: string }): boolean {
  return method === "GET" && path.includes("/jobs/");
}
