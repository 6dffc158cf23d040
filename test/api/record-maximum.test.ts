import { afterAll, beforeAll, expect, test } from "vitest";
import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";
import { readProblem, readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { createLease, readRecord, writeRecord } from "../support/lease.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

/** What the API server takes: 256 KiB of annotations, names and values. */
const annotationsLimitBytes = 256 * 1024;
const mostKeys = 3_000;
/** Within this time every trigger is answered, whatever the record holds. */
const triggerLimitMs = 15_000;

let target: Target;
let proxy: FaultProxy;
const started: FunctionProcess[] = [];

beforeAll(async () => {
  target = await openTarget("record-maximum");
  proxy = await startFaultProxy(target.api);
});

afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
  await proxy?.close();
  await target?.close();
});

type Place = { namespace: string; fn: FunctionProcess };

/** The function beside a record that holds all keys but one; whether their Jobs have ended is known or not. */
async function install(name: string, state: "D" | "E" = "E"): Promise<Place> {
  const namespace = await target.createNamespace(name);
  await target.seedCronJob(namespace, idleCronJob("sync"));
  await createLease(target.api, namespace);
  const lines = Array.from({ length: mostKeys - 1 }, (_, index) => line(index, { state }));
  await writeRecord(target.api, namespace, lines);
  const fn = await startFunction({
    ...(await target.env({ server: proxy.url })),
    ...{ CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace },
    ...{ DEDUPE_WINDOW: "1d", DEDUPE_MAX_KEYS: String(mostKeys) },
  });
  started.push(fn);
  return { namespace, fn };
}

/** Lines as long as lines can be, the first one the oldest. */
const line = (index: number, { ageS = 3_600, state = "E" }: { ageS?: number; state?: string } = {}) => {
  const time = new Date(Date.now() - ageS * 1_000).toISOString().replace(/[-:]|\.\d+/g, "");
  const letters = [...String(index).padStart(17, "0")].map((digit) => "abcdefghij"[Number(digit)]);
  const slot = `m${letters.join("")}`;
  return `${slot} ${state} ${time} abc123 8a6e0804-2bd0-4672-b79d-d970${String(index).padStart(8, "0")}`;
};

async function trigger({ fn }: Place, key: string, body?: object): Promise<Response> {
  const startedAtMs = performance.now();
  proxy.requests.length = 0;
  const answer = await fetch(`${fn.url}/trigger-sync`, {
    method: "POST",
    headers: { "idempotency-key": key, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(triggerLimitMs),
  });
  const ms = Math.round(performance.now() - startedAtMs);
  console.log(`record at its maximum, ${target.kind}: ${answer.status} in ${ms} ms, ${proxy.requests.length} requests`);
  return answer;
}

async function annotationBytes({ namespace }: Place): Promise<number> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/sync-trigger`;
  const { metadata } = await target.api.expect("GET", path);
  const annotations = isJsonObject(metadata) ? (metadata.annotations as JsonObject) : {};
  const sizes = Object.entries(annotations).map(
    ([name, value]) => Buffer.byteLength(name) + Buffer.byteLength(`${value}`),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

test("a record of 3,000 keys is stored, a trigger costs no request more, and the next key is told to wait", async () => {
  const place = await install("full");
  const { namespace } = place;
  const first = await readTrigger(await trigger(place, "the 3,000th"));
  expect(first.outcome).toBe("created");
  expect(proxy.requests.length).toBeLessThanOrEqual(5);
  expect(await readRecord(target.api, namespace)).toHaveLength(mostKeys);
  const bytes = await annotationBytes(place);
  console.log(`record at its maximum, ${target.kind}: ${bytes} bytes of annotations`);
  expect(bytes).toBeLessThan(annotationsLimitBytes);
  expect(await readTrigger(await trigger(place, "the 3,000th"))).toEqual({ ...first, outcome: "duplicate" });
  expect(proxy.requests).toEqual([]);

  const full = await trigger(place, "the 3,001st");
  expect([full.status, (await readProblem(full)).type]).toEqual([503, "urn:sync-trigger:record-full"]);
  const seconds = Number(full.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(82_000);
  expect(seconds).toBeLessThanOrEqual(82_800); // a day less the hour that the oldest is old

  const [, ...rest] = await readRecord(target.api, namespace);
  await writeRecord(target.api, namespace, [line(0, { ageS: 86_400 }), ...rest]);
  expect((await readTrigger(await trigger(place, "the 3,001st"))).outcome).toBe("created");
  const after = await readRecord(target.api, namespace);
  expect([after.length, after.includes(line(0, { ageS: 86_400 }))]).toEqual([mostKeys, false]);
});

const isLook = ({ method, path }: { method: string; path: string }) => method === "GET" && path.includes("/jobs/");
const forbid = { onOverlap: "forbid" };
/** As core/record.ts has it. */
const lookedAtOnce = 256;

test("forbid looks at 2,999 Jobs once, and a request that breaks off on the way has not looked in vain", {
  timeout: 120_000,
}, async () => {
  const place = await install("looks", "D");
  proxy.rule((request) => {
    const isTooMuch = isLook(request) && proxy.requests.filter(isLook).length > lookedAtOnce + 10;
    return isTooMuch ? { kind: "answer", status: 403 } : undefined;
  });
  expect((await readProblem(await trigger(place, "k", forbid))).type).toBe("urn:sync-trigger:api-refused");
  const endedOf = async () => (await readRecord(target.api, place.namespace)).filter((line) => line.includes(" E "));
  expect(await endedOf()).toHaveLength(lookedAtOnce);

  proxy.rule(() => undefined);
  let looks = 0;
  let attempts = 0;
  // On a busy machine 13 s may be too short for the rest: then the next one goes on, as it says.
  const repeat = async () => {
    const answer = await trigger(place, "k", forbid);
    attempts += 1;
    looks += proxy.requests.filter(isLook).length;
    return answer.status === 503 ? undefined : readTrigger(answer);
  };
  const created = await until("a repeated request to get through", repeat, 75_000);
  expect(created.outcome).toBe("created");
  const left = mostKeys - 1 - lookedAtOnce;
  expect(looks).toBeGreaterThanOrEqual(left);
  expect(looks, "less than a lot in vain for each request that broke off").toBeLessThan(left + attempts * lookedAtOnce);
  expect(await endedOf()).toHaveLength(mostKeys - 1);

  const refused = await trigger(place, "another", forbid);
  expect([refused.status, (await readProblem(refused)).detail]).toEqual([409, `Job ${created.job.name} is unfinished`]);
  expect(proxy.requests.filter(isLook).length, "the unfinished Job and the key's own").toBe(2);
});

test("forbid is refused by the newest Job without a look at 2,998 others", async () => {
  const place = await install("newest", "D");
  await writeRecord(target.api, place.namespace, (await readRecord(target.api, place.namespace)).slice(1));
  const { job } = await readTrigger(await trigger(place, "running", { onOverlap: "allow" }));
  const refused = await trigger(place, "k", forbid);
  expect([refused.status, (await readProblem(refused)).detail]).toEqual([409, `Job ${job.name} is unfinished`]);
  expect(proxy.requests.filter(isLook).length, "what is under way at once, and the key's own").toBeLessThan(50);
});
