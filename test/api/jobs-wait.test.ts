import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readProblem } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { endedByHand, endJob } from "../support/end-job.ts";
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from "../support/fault-proxy.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { inFlight } from "../support/in-flight.ts";
import { askForJob, readJob, scriptCronJob, startRun } from "../support/runs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

const isReal = process.env.TEST_TARGET === "real";
let target: Target;
let namespace: string;
let proxy: FaultProxy;
/** The functions of two CronJobs: Jobs of the first never end, those of the second when a test ends them. */
let idle: FunctionProcess;
let brief: FunctionProcess;

beforeAll(async () => {
  target = await openTarget("jobs-wait");
  namespace = await target.createNamespace("jobs-wait");
  await target.seedCronJob(namespace, idleCronJob("idle"));
  const job = isReal ? endedByHand : { suspend: true };
  await target.seedCronJob(
    namespace,
    scriptCronJob({ name: "brief", image: target.syncImage, job }, "console.log('on it')"),
  );
  proxy = await startFaultProxy(target.api);
  idle = await start("idle");
  brief = await start("brief");
});

afterAll(async () => {
  await idle?.stop();
  await brief?.stop();
  await proxy?.close();
  await target?.close();
});

afterEach(() => proxy.rule(() => undefined));

async function start(name: string): Promise<FunctionProcess> {
  const env = await target.env({ server: proxy.url });
  return startFunction({ ...env, CRONJOB_NAME: name, CRONJOB_NAMESPACE: namespace });
}

const isWatch = ({ path }: ProxiedRequest) => path.includes("watch=true");
const openWatches = () => proxy.requests.filter((request) => isWatch(request) && request.isOpen);
const isWatchAllThatIsOpen = () => openWatches().length === 1 && proxy.requests.filter(isOpen).length === 1;
/** Ends a wait of 25 s before its time is over: who is answered by then was told of the Job's end. */
const atItsEnd = () => AbortSignal.timeout(20_000);
const crowd = <T>(ask: () => Promise<T>) => Promise.all(Array.from({ length: 100 }, ask));

/**
 * Ends a Job of `brief`. On a real cluster by hand: a busy node may need longer for a pod than any wait lasts. The embedded
 * one takes no status from outside, and runs what is resumed in an instant.
 */
async function end(name: string): Promise<void> {
  if (isReal) return endJob(target.api, namespace, name);
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
  const type = "application/merge-patch+json";
  await target.api.expect("PATCH", path, { spec: { suspend: false } }, { "content-type": type });
}

/** What a request asks for: `get Job`, `list pods`, `watch Job`. */
function toCall(request: ProxiedRequest): string {
  if (isWatch(request)) return "watch Job";
  return request.path.includes("/pods?") ? "list pods" : "get Job";
}

describe("Prefer: wait", () => {
  test("answers when the Job ends: one look before, one watch, one look after", async () => {
    const name = await startRun(brief);
    proxy.requests.length = 0;
    const answer = askForJob(brief, name, 25, atItsEnd());
    await until("the watch to be open", () => openWatches().length === 1);
    await end(name);
    const told = answer.then(() => "told");
    expect(await Promise.race([told, pause(1_000, "not told")]), "within a second of the end").toBe("told");
    expect(await readJob(await answer)).toMatchObject({ name, state: "succeeded" });
    expect(proxy.requests.map(toCall)).toEqual(["get Job", "list pods", "watch Job", "get Job", "list pods"]);
  });

  test("answers how the Job stands when the time is over", async () => {
    const name = await startRun(idle);
    const answer = await askForJob(idle, name, 2);
    expect(answer.headers.get("preference-applied")).toBe("wait=2");
    expect(await readJob(answer)).toMatchObject({ state: "queued", reason: "Suspended" });
  });

  test("answers how the Job stood when the last look takes too long", async () => {
    const name = await startRun(idle);
    const pending = askForJob(idle, name, 2);
    await until("the watch to be open", () => openWatches().length === 1);
    proxy.rule(() => ({ kind: "hang" }));
    expect(await readJob(await pending)).toMatchObject({ state: "queued", reason: "Suspended" });
  });

  test("answers that the Job has ended when the look after its end takes too long", async () => {
    const name = await startRun(brief);
    const pending = askForJob(brief, name, 25);
    await until("the watch to be open", () => openWatches().length === 1);
    proxy.rule((request) => (isWatch(request) ? undefined : { kind: "hang" }));
    await end(name);
    expect(await readJob(await pending)).toMatchObject({ name, state: "succeeded" });
  });

  test("of a time that is too short to wait is a look, however long that takes", async () => {
    const name = await startRun(idle);
    proxy.rule(() => ({ kind: "delay", ms: 600 }));
    const answer = await askForJob(idle, name, 0);
    expect(answer.headers.get("preference-applied")).toBe("wait=0");
    expect(await readJob(answer)).toMatchObject({ state: "queued" });
  });

  describe("on a Job that has ended", () => {
    let name: string;
    beforeAll(async () => {
      name = await startRun(brief);
      await end(name);
      expect(await readJob(await askForJob(brief, name, 25))).toMatchObject({ state: "succeeded" });
    });

    test.each([
      ["wait=9999", "wait=25"],
      ['respond-async, wait="7"; x=1', "wait=7"],
      ["wait=soon", null],
      ["handling=lenient", null],
    ])("%s is answered at once, as %s", async (prefer, applied) => {
      const headers = { prefer };
      const answer = await fetch(`${brief.url}/jobs/${name}`, { headers, signal: AbortSignal.timeout(5_000) });
      expect([answer.status, answer.headers.get("preference-applied")]).toEqual([200, applied]);
    });
  });

  test("is answered 404 when the Job is deleted meanwhile", async () => {
    const name = await startRun(idle);
    const pending = askForJob(idle, name, 25, AbortSignal.timeout(10_000));
    await until("the watch to be open", () => openWatches().length === 1);
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}?propagationPolicy=Background`;
    await target.api.expect("DELETE", path);
    const answer = await pending;
    expect([answer.status, (await readProblem(answer)).type]).toEqual([404, "urn:sync-trigger:job-not-found"]);
    await until("the watch to be closed", () => openWatches().length === 0);
  });

  const broken: [what: string, fault: Fault][] = [
    ["is refused as too old", { kind: "answer", status: 410, body: { kind: "Status", code: 410, reason: "Expired" } }],
    ["is answered 500", { kind: "answer", status: 500 }],
    ["is reset", { kind: "reset" }],
    ["breaks off in an event", { kind: "break off", afterBytes: 100 }],
    ["ends in an event", { kind: "end early", afterBytes: 100 }],
    ["tells an error", { kind: "answer", status: 200, body: { type: "ERROR", object: { code: 410 } } }],
  ];

  test.each(broken)("outlives a watch that %s", async (_what, fault) => {
    const name = await startRun(brief);
    proxy.requests.length = 0;
    let left = 1;
    proxy.rule((request) => (isWatch(request) && left-- > 0 ? fault : undefined));
    const answer = askForJob(brief, name, 25, atItsEnd());
    await until("the watch to be asked for", () => proxy.requests.some(isWatch));
    await end(name);
    expect(await readJob(await answer)).toMatchObject({ name, state: "succeeded" });
    expect(left).toBeLessThanOrEqual(0);
  });

  test("without the right to watch is a 501 that names the component", async () => {
    const name = await startRun(idle);
    proxy.rule((request) => (isWatch(request) ? { kind: "answer", status: 403, body: { kind: "Status" } } : undefined));
    const answer = await askForJob(idle, name, 25);
    expect([answer.status, (await readProblem(answer)).type]).toEqual([501, "urn:sync-trigger:component-missing"]);
  });
});

describe("a hundred who wait for one Job", () => {
  const callsOfAll = ["get Job", "list pods", "watch Job", "get Job", "list pods"];

  test("share one look before, one watch and one look after", async () => {
    const name = await startRun(brief);
    proxy.requests.length = 0;
    // The first look is held up until all are there: most come while it is under way.
    const allThere = Promise.withResolvers<void>();
    proxy.rule((request) => (isWatch(request) ? undefined : { kind: "hold", until: allThere.promise }));
    const pending = crowd(() => askForJob(brief, name, 25, atItsEnd()));
    await until("all to be there", async () => (await inFlight(brief)) === 101);
    allThere.resolve();
    await until("the watch to be open", isWatchAllThatIsOpen);
    await end(name);
    for (const answer of await pending) expect(await readJob(answer)).toMatchObject({ name, state: "succeeded" });
    expect(proxy.requests.map(toCall)).toEqual(callsOfAll);
    await until("no request to be open", () => proxy.requests.every(({ isOpen }) => !isOpen));
  });

  test("share them also when they come while one waits already", async () => {
    const name = await startRun(brief);
    proxy.requests.length = 0;
    const first = askForJob(brief, name, 25);
    await until("the watch to be open", isWatchAllThatIsOpen);
    const others = crowd(() => askForJob(brief, name, 25, atItsEnd()));
    await until("all to wait", async () => (await inFlight(brief)) === 102);
    await end(name);
    const answers = await Promise.all([first, others]);
    for (const answer of answers.flat()) expect(await readJob(answer)).toMatchObject({ name, state: "succeeded" });
    expect(proxy.requests.map(toCall)).toEqual(callsOfAll);
  });

  test("leave no request open when they leave", async () => {
    const name = await startRun(idle);
    proxy.requests.length = 0;
    const leaving = new AbortController();
    const pending = crowd(() => askForJob(idle, name, 25, leaving.signal).catch((error: Error) => error.name));
    await until("all to wait", async () => (await inFlight(idle)) === 101 && isWatchAllThatIsOpen());
    leaving.abort();
    expect(new Set(await pending)).toEqual(new Set(["AbortError"]));
    await until("no request to be open", () => !proxy.requests.some(isOpen));
    const left = await until("a log line for each", () => {
      const lines = idle.log.filter(({ clientLeft, path }) => clientLeft && path === `/jobs/${name}`);
      return lines.length === 100 && lines;
    });
    expect(new Set(left.map(({ level, status }) => `${level} ${status}`))).toEqual(new Set(["info 499"]));
  });

  test("when the first leaves, the others still wait", async () => {
    const name = await startRun(brief);
    const leaving = new AbortController();
    const first = askForJob(brief, name, 25, leaving.signal).catch(() => undefined);
    await until("the watch to be open", () => openWatches().length === 1);
    const second = askForJob(brief, name, 25, atItsEnd());
    await until("the second to be there", async () => (await inFlight(brief)) === 3);
    leaving.abort();
    await first;
    await end(name);
    expect(await readJob(await second)).toMatchObject({ name, state: "succeeded" });
  });
});

const isOpen = (request: ProxiedRequest) => request.isOpen;

test("a client that leaves in the middle of a look ends the work done for it", async () => {
  const name = await startRun(idle);
  proxy.requests.length = 0;
  proxy.rule(() => ({ kind: "hang" }));
  const leaving = new AbortController();
  const pending = askForJob(idle, name, undefined, leaving.signal).catch(() => undefined);
  const request = await until("the look to be under way", () => proxy.requests[0]);
  leaving.abort();
  await pending;
  await until("the look to be given up", () => !request.isOpen);
  expect(proxy.requests).toHaveLength(1);
});

test("on SIGTERM who waits and who reads is answered although the API server does not", async () => {
  const fn = await start("idle");
  const name = await startRun(fn);
  const wait = askForJob(fn, name, 25);
  await until("the watch to be open", () => openWatches().length === 1);
  const second = askForJob(fn, name, 25, AbortSignal.timeout(20_000));
  await until("both to wait, beside the scrape", async () => (await inFlight(fn)) === 3);
  const log = await fetch(`${fn.url}/jobs/${name}/logs?follow=true`);
  proxy.rule(() => ({ kind: "hang" }));
  fn.signal("SIGTERM");
  expect(await readJob(await wait)).toMatchObject({ name, state: "queued" });
  expect(await readJob(await second)).toMatchObject({ name, state: "queued" });
  expect(await log.text()).toMatch(/^--- sync-trigger: this instance is ending; resume with \S+\n$/);
  expect(await fn.exited).toBe(0);
  expect(fn.log.at(-1)).toMatchObject({ msg: "stopped", answeredAll: true });
});

test("on SIGTERM who waits and who reads a log is answered at once, and the exit code is 0", async () => {
  await target.seedCronJob(
    namespace,
    scriptCronJob({ name: "long", image: target.syncImage }, "console.log('on it'); setTimeout(() => {}, 120_000)"),
  );
  const fn = await start("long");
  const name = await startRun(fn);
  const signal = AbortSignal.timeout(80_000);
  const logs = await Promise.all([1, 2, 3].map(() => fetch(`${fn.url}/jobs/${name}/logs?follow=true`, { signal })));
  const readers = logs.map((answer) => answer.body?.pipeThrough(new TextDecoderStream()).getReader());
  const firsts = await Promise.all(readers.map((reader) => reader?.read()));
  expect(firsts.map((read) => read?.value)).toEqual(Array(3).fill("on it\n"));
  const waits = Promise.all(Array.from({ length: 20 }, () => askForJob(fn, name, 25, signal)));
  // Those in the kernel's queue would be reset: the listening socket closes at once.
  await until("20 waits and 3 logs to be at work, beside the scrape", async () => (await inFlight(fn)) === 24);
  await until("the watch to be open", () => openWatches().length === 1);

  fn.signal("SIGTERM");
  const atOnce = AbortSignal.timeout(12_000); // the drain lasts 17 s, and a wait 25
  for (const answer of await waits) {
    expect(answer.headers.get("connection")).toBe("close");
    expect(await readJob(answer)).toMatchObject({ name, state: "running" });
  }
  const lasts = await Promise.all(readers.map((reader) => reader?.read()));
  for (const last of lasts) {
    expect(last?.value).toMatch(
      new RegExp(
        `^--- sync-trigger: this instance is ending; resume with /jobs/${name}/logs\\?follow=true&pod=${name}-\\w+&sinceTime=\\S+\\n$`,
      ),
    );
  }
  expect(atOnce.aborted).toBe(false);
  expect(await fn.exited).toBe(0);
  expect(fn.log.at(-1)).toMatchObject({ msg: "stopped", answeredAll: true });
});
