import { afterAll, beforeAll, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { metadataOf } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let namespace: string;
let cronJobUid: string;
let proxy: FaultProxy;
const started: FunctionProcess[] = [];

beforeAll(async () => {
  target = await openTarget("kubernetes-events");
  namespace = await target.createNamespace("kubernetes-events");
  cronJobUid = metadataOf(await target.seedCronJob(namespace, idleCronJob("sync"))).uid;
  proxy = await startFaultProxy(target.api);
});

afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
  await proxy?.close();
  await target?.close();
});

async function start(kubernetesEvents: string): Promise<FunctionProcess> {
  const base = {
    CRONJOB_NAME: "sync",
    CRONJOB_NAMESPACE: namespace,
    KUBERNETES_EVENTS: kubernetesEvents,
    API_TIMEOUT_MS: "10000",
  };
  const fn = await startFunction({ ...(await target.env({ server: proxy.url })), ...base });
  started.push(fn);
  return fn;
}

type Event = { metadata: { name: string }; related: { name: string; uid: string } };

/** The Events that `kubectl describe cronjob sync` would show, of ours. */
async function ourEvents(): Promise<Event[]> {
  const fields = { "involvedObject.kind": "CronJob", "involvedObject.name": "sync", "involvedObject.uid": cronJobUid };
  const selected = Object.entries({ ...fields, reason: "ManualRun" }).map(([name, value]) => `${name}=${value}`);
  const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent(selected.join(","))}`;
  return (await target.api.expect("GET", path)).items as unknown as Event[];
}

const trigger = async (fn: FunctionProcess, key: string) =>
  readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers: { "idempotency-key": key } }));
const isEvent = ({ path }: { path: string }) => path.split("?")[0] === `/api/v1/namespaces/${namespace}/events`;

test("each Job that is made has one Event on the CronJob; a duplicate has none of its own", async () => {
  const fn = await start("on");
  const { job } = await trigger(fn, "1");
  const [event] = await until("the Event", async () => {
    const events = await ourEvents();
    return events.length > 0 && events;
  });
  expect(event).toMatchObject({
    metadata: { name: job.name },
    related: { kind: "Job", name: job.name, uid: job.uid },
    involvedObject: { apiVersion: "batch/v1", kind: "CronJob", name: "sync", uid: cronJobUid },
    message: `Created Job ${job.name}: requested via http`,
    source: { component: "sync-trigger" },
    firstTimestamp: job.createdAt,
    type: "Normal",
  });
  expect((await trigger(fn, "1")).outcome).toBe("duplicate");
  const other = await trigger(fn, "2"); // Events go in order: after its Event a duplicate's would be there
  await until("the other's Event", async () =>
    (await ourEvents()).some(({ related }) => related.uid === other.job.uid),
  );
  expect(await ourEvents()).toHaveLength(2);
});

test("neither an answer nor the function's end waits for an Event that hangs", async () => {
  const fn = await start("on");
  proxy.rule((request) => (isEvent(request) ? { kind: "hang" } : undefined));
  proxy.requests.length = 0;
  expect((await trigger(fn, "3")).outcome).toBe("created");
  await until("the Event to be sent", () => proxy.requests.some(isEvent));
  expect(
    proxy.requests.filter(isEvent).map(({ isOpen }) => isOpen),
    "it is still waited for",
  ).toEqual([true]);
  expect(await fn.stop()).toBe(0);
  expect(
    fn.log.filter(({ msg }) => msg === "no Event"),
    "and was to the end",
  ).toEqual([]);
  proxy.rule(() => undefined);
});

test("what was still to be told when the function ends is told", async () => {
  const fn = await start("on");
  proxy.rule((request) => (isEvent(request) ? { kind: "delay", ms: 300 } : undefined));
  proxy.requests.length = 0;
  const { job } = await trigger(fn, "4");
  fn.signal("SIGTERM");
  expect(await fn.exited).toBe(0);
  proxy.rule(() => undefined);
  expect((await ourEvents()).map(({ metadata }) => metadata.name)).toContain(job.name);
});

test("an Event that is refused is logged and counted; the trigger has its Job", async () => {
  const fn = await start("on");
  const forbidden = {
    kind: "Status",
    status: "Failure",
    reason: "Forbidden",
    code: 403,
    message: 'User "u" cannot create resource "events"',
  };
  proxy.rule((request) => (isEvent(request) ? { kind: "answer", status: 403, body: forbidden } : undefined));
  const { outcome, job } = await trigger(fn, "5");
  expect(outcome).toBe("created");
  const line = await until("the log line", () => fn.log.find(({ msg }) => msg === "no Event"));
  proxy.rule(() => undefined);
  expect(line).toMatchObject({ level: "warn", job: job.name });
  expect(line.detail).toBe(
    'create events was answered 403: User "u" cannot create resource "events"; manifests/components/events grants this right',
  );
  const text = await (await fetch(`${fn.url}/metrics`)).text();
  expect(text).toContain('sync_trigger_api_requests_total{verb="create",resource="events",code="403"} 1');
});

test("nothing is told unless the setting says so", async () => {
  const fn = await start("off");
  proxy.requests.length = 0;
  await trigger(fn, "6");
  expect(await fn.stop()).toBe(0);
  expect(proxy.requests.filter(isEvent)).toEqual([]);
});
