import { afterAll, beforeEach, expect, test } from "vitest";
import type { JobView } from "../../functions/core/job-view.ts";
import type { ProxiedRequest } from "../support/fault-proxy.ts";
import { jobEnd } from "../support/jobs.ts";
import { openLogStage } from "../support/log-stage.ts";
import { askForJob, readJob, startRun } from "../support/runs.ts";
import { until } from "../support/until.ts";

const { target, namespace, proxy, startScript, close } = await openLogStage("logs-steps");
afterAll(close);

beforeEach(() => proxy.rule(() => undefined));

const isLog = ({ path }: ProxiedRequest) => path.includes("/log?");
const logRequests = () => proxy.requests.filter(isLog);
test("a page that looks at a Job again and again does not have its log read again and again", async () => {
  const kilobytes = 200;
  const script = `for (let n = 0; n < ${kilobytes}; n += 1) console.log('x'.repeat(960)); console.log('trade sync: done'); setTimeout(() => {}, 14_000)`;
  const fn = await startScript("watched", script, { SYNC_STEPS: "trades=trade sync: done;never=never" });
  const job = await startRun(fn);
  proxy.requests.length = 0;
  const steps = () => askForJob(fn, job).then(readJob);
  await until("the step to be seen", async () => (await steps()).steps?.[0]?.state === "seen");
  let looks = 0;
  for (let state = "running"; state === "running"; looks += 1) state = (await steps()).state;
  expect(looks).toBeGreaterThan(20);
  const bytes = logRequests().reduce((sum, request) => sum + request.bytes, 0);
  expect(bytes).toBeGreaterThan(kilobytes * 1_000);
  expect(bytes, `${looks} looks`).toBeLessThan(6 * kilobytes * 1_000);
  const settled = logRequests().slice(-8);
  expect(settled.map((request) => request.bytes)).toEqual(Array(8).fill(0));

  const asked = logRequests().length;
  for (let again = 0; again < 5; again += 1) expect(await steps()).toMatchObject({ state: "succeeded" });
  expect(logRequests(), "a log read to its end is not asked for again").toHaveLength(asked);
});

test("steps are found in the first MiB and the last 200 lines, of none between", async () => {
  const filler = (kilobytes: number) => `for (let n = 0; n < ${kilobytes}; n += 1) console.log('x'.repeat(960));`;
  const script = `console.log('step early'); ${filler(2_000)} console.log('step amid'); ${filler(2_000)} console.log('step late')`;
  const steps = ["early", "amid", "late"].map((name) => `${name}=step ${name}`).join("\n");
  const fn = await startScript("long-log", script, { SYNC_STEPS: steps });
  const job = await startRun(fn);
  await jobEnd(target.api, namespace, job);
  proxy.requests.length = 0;
  const view = await readJob(await askForJob(fn, job));
  expect(view.steps?.map(({ name, state }) => `${name} ${state}`)).toEqual(["early seen", "amid unknown", "late seen"]);
  const bytes = logRequests().reduce((sum, request) => sum + request.bytes, 0);
  expect(bytes).toBeLessThan(1.5 * 1024 * 1024);
});

test("a step between them is unknown too when the Job was looked at all the time, and all looks read no more", async () => {
  const script = `
    const fill = (kilobytes) => { for (let n = 0; n < kilobytes; n += 1) console.log('x'.repeat(960)); };
    console.log('step early'); fill(900);
    setTimeout(() => { fill(300); console.log('step amid') }, 3_000);
    setTimeout(() => { fill(300); console.log('step late') }, 6_000);
    setTimeout(() => {}, 9_000);`;
  const steps = ["early", "amid", "late"].map((name) => `${name}=step ${name}`).join("\n");
  const fn = await startScript("long-polled", script, { SYNC_STEPS: steps });
  const job = await startRun(fn);
  proxy.requests.length = 0;
  const stepsOf = (view: JobView) => view.steps?.map(({ name, state }) => `${name} ${state}`);
  const whileRunning = new Set<string>();
  const look = async () => readJob(await askForJob(fn, job));
  for (let view = await look(); view.state !== "succeeded"; view = await look())
    whileRunning.add(String(stepsOf(view)));
  // A kubelet that has much to do may be late for the first look after the end: see the test of one that is hung.
  const ended = await until("the last step", async () => {
    const view = await look();
    return view.steps?.at(-1)?.state === "seen" && view;
  });
  expect(whileRunning).toContain("early seen,amid unknown,late unknown");
  expect([...whileRunning].join()).not.toContain("amid seen");
  expect(stepsOf(ended)).toEqual(["early seen", "amid unknown", "late seen"]);
  const bytes = logRequests().reduce((sum, request) => sum + request.bytes, 0);
  // The head's seconds once while they are written and once when they are over, more at most where a look falls between
  // two of them; and the tail. Read at each look it would be twenty times the head.
  expect(bytes).toBeLessThan(3.5 * 1024 * 1024);
  const asked = logRequests().length;
  expect(await readJob(await askForJob(fn, job))).toEqual(ended);
  expect(logRequests()).toHaveLength(asked);
});

test("a kubelet that does not answer holds up neither the state nor a wait", async () => {
  const fn = await startScript("hung", "console.log('trade sync: done')", { SYNC_STEPS: "trades=trade sync: done" });
  proxy.rule((request) => (isLog(request) ? { kind: "hang" } : undefined));
  const job = await startRun(fn);
  expect(await jobEnd(target.api, namespace, job)).toBe("Complete");
  const unknown = { state: "succeeded", steps: [{ name: "trades", state: "unknown" }] };
  expect(await readJob(await askForJob(fn, job))).toMatchObject(unknown);
  expect(await readJob(await askForJob(fn, job, 5))).toMatchObject(unknown);
  proxy.rule(() => undefined);
  await until("the step to be seen", async () => {
    const [step] = (await readJob(await askForJob(fn, job))).steps ?? [];
    return step?.name === "trades" && step.state === "seen";
  });
});

test("of a failed Job the steps and the last lines are read at the same time, so that a kubelet holds up one deadline", async () => {
  const fn = await startScript("failing", "console.log('x'); process.exit(3)", { SYNC_STEPS: "never=never" });
  const job = await startRun(fn);
  expect(await jobEnd(target.api, namespace, job)).toBe("Failed");
  const released = Promise.withResolvers<void>();
  proxy.requests.length = 0;
  proxy.rule((request) => (isLog(request) ? { kind: "hold", until: released.promise } : undefined));
  const answer = askForJob(fn, job);
  await until("both to be asked for", () => logRequests().length === 2);
  released.resolve();
  expect(await readJob(await answer)).toMatchObject({ state: "failed", exitCode: 3, lastLines: ["x"] });
});

test("on SIGTERM a log that is not there yet ends with a line that says where to go on", async () => {
  const fn = await startScript("ending", "console.log('on it')", {});
  const job = await startRun(fn);
  expect(await jobEnd(target.api, namespace, job)).toBe("Complete");
  proxy.requests.length = 0;
  proxy.rule((request) => (isLog(request) ? { kind: "hang" } : undefined));
  const pending = fetch(`${fn.url}/jobs/${job}/logs`);
  await until("the log to be asked for", () => logRequests().length === 1);
  fn.signal("SIGTERM");
  const answer = await pending;
  expect([answer.status, await answer.text()]).toEqual([
    200,
    expect.stringMatching(
      `^--- sync-trigger: this instance is ending; resume with /jobs/${job}/logs\\?pod=${job}-\\w+\n$`,
    ),
  ]);
  expect(await fn.exited).toBe(0);
});
