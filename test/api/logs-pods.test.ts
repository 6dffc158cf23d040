import { afterAll, beforeEach, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import type { Pod } from "../../functions/core/workload.ts";
import { readProblem } from "../support/answers.ts";
import type { FunctionProcess } from "../support/function-process.ts";
import { jobEnd } from "../support/jobs.ts";
import { openLogStage } from "../support/log-stage.ts";
import { scriptCronJob, startRun } from "../support/runs.ts";
import { until } from "../support/until.ts";

const { target, namespace, proxy, start, startFor, close } = await openLogStage("logs-pods");
afterAll(close);

beforeEach(() => proxy.rule(() => undefined));

type Lines = { fn: FunctionProcess; job: string; pods: Pod[]; textOf: (query: string) => Promise<string> };

/** A Job that failed twice: two pods, each with two lines in its log. */
async function failTwice(name: string): Promise<Lines> {
  const script =
    "console.log(process.env.HOSTNAME + ' one'); console.log(process.env.HOSTNAME + ' two'); process.exit(4)";
  const cronJob = scriptCronJob({ name, image: target.syncImage, job: { backoffLimit: 1 } }, script);
  const fn = await startFor(cronJob);
  const job = await startRun(fn);
  expect(await jobEnd(target.api, namespace, job)).toBe("Failed");
  const list = await target.api.expect("GET", `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${job}`);
  const pods = (list.items as unknown as Pod[]).sort((a, b) => (created(a) < created(b) ? -1 : 1));
  expect(pods).toHaveLength(2);
  const textOf = async (query: string) => (await fetch(`${fn.url}/jobs/${job}/logs${query}`)).text();
  return { fn, job, pods, textOf };
}

const created = ({ metadata }: Pod) => metadata.creationTimestamp;
const headOf = (pod: Pod | undefined) => `--- pod ${pod?.metadata.name}, created ${pod && created(pod)} ---\n`;

test("a pod that has not started hides no other's log, and has its turn when it starts", async () => {
  const { fn, job, pods, textOf } = await failTwice("unstarted");
  const [first, second] = pods;
  const whole = await textOf("");
  const ofFirst = whole.slice(0, whole.indexOf(headOf(second)));
  const ofSecond = whole.slice(ofFirst.length);
  expect([ofFirst.split("\n").length, ofSecond.split("\n").length]).toEqual([4, 4]);

  const waiting = [{ ...first, status: { phase: "Pending" } }, second];
  const hide = () =>
    proxy.rule(({ path }) =>
      path.includes("/pods?") ? { kind: "answer", status: 200, body: { items: waiting } } : undefined,
    );
  hide();
  expect(await textOf("")).toBe(ofSecond);
  const followed = await fetch(`${fn.url}/jobs/${job}/logs?follow=true`);
  let text = "";
  for await (const part of followed.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text === ofSecond) proxy.rule(() => undefined); // it starts
  }
  expect(text).toBe(ofSecond + ofFirst);

  hide();
  const broken = await fetch(`${fn.url}/jobs/${job}/logs?follow=true`);
  let cut = "";
  for await (const part of broken.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    cut += part;
    if (cut === ofSecond) fn.signal("SIGTERM");
  }
  const query = /; resume with \S+\/logs(\?\S+)\n$/.exec(cut)?.[1] ?? "";
  expect(query).toMatch(`?follow=true&pod=${second?.metadata.name}&without=&sinceTime=`);
  proxy.rule(() => undefined);
  const next = await start("unstarted");
  const rest = await (await fetch(`${next.url}/jobs/${job}/logs${query}`)).text();
  expect(rest).toBe(headOf(second) + ofFirst);
  const without = `?pod=${first?.metadata.name}&without=${second?.metadata.name}`;
  expect(await (await fetch(`${next.url}/jobs/${job}/logs${without}`)).text()).toBe(ofFirst);
});

test("a pod that was removed meanwhile is told, and the log goes on with the other pods", async () => {
  const { fn, job, pods, textOf } = await failTwice("removed");
  const [first, second] = pods;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const stamps = (await target.api.call("GET", `${path}/${first?.metadata.name}/log?timestamps=true`)).text;
  const sinceTime = stamps.split(" ")[0] ?? "";
  const ofSecond = await textOf(`?pod=${second?.metadata.name}`);
  await target.api.expect("DELETE", `${path}/${first?.metadata.name}`);
  await until("the pod to be gone", async () => {
    return (await target.api.call("GET", `${path}/${first?.metadata.name}`)).status === 404;
  });
  const gone = `--- sync-trigger: pod ${first?.metadata.name} is gone, and`;
  const on = "with it; the other pods' lines follow\n";
  const query = `?follow=true&pod=${first?.metadata.name}`;
  expect(await textOf(`${query}&sinceTime=${sinceTime}`)).toBe(
    `${gone} what it wrote after ${sinceTime} ${on}${ofSecond}`,
  );
  expect(await textOf(query)).toBe(`${gone} its log ${on}${ofSecond}`);
  const answer = await fetch(`${fn.url}/jobs/${job}/logs?pod=other-x7k2p`);
  expect([answer.status, (await readProblem(answer)).detail]).toEqual([
    422,
    `query: pod: no such pod of this Job; it has ${second?.metadata.name}`,
  ]);
});

test.runIf(process.env.TEST_TARGET === "real")(
  "pods side by side come as they start, though only one at a time finds a place (the embedded cluster runs one)",
  async () => {
    const side = { parallelism: 4, completions: 4 };
    const script = "console.log(process.env.HOSTNAME); setTimeout(() => console.log('done'), 2_000)";
    const cronJob = scriptCronJob({ name: "side", image: target.syncImage, job: side }, script);
    const { jobTemplate } = cronJob.spec as { jobTemplate: { spec: { template: { spec: JsonObject } } } };
    const [container] = jobTemplate.spec.template.spec.containers as JsonObject[];
    Object.assign(container ?? {}, { ports: [{ containerPort: 8080, hostPort: 47_311 }] });
    const fn = await startFor(cronJob);
    const job = await startRun(fn);
    const logs = `${fn.url}/jobs/${job}/logs`;
    await until("the first to speak", async () => {
      const answer = await fetch(logs);
      return answer.status === 200 && /^--- pod (\S+), created \S+ ---\n\1\n/.test(await answer.text());
    });
    const text = await (await fetch(`${logs}?follow=true`, { signal: AbortSignal.timeout(240_000) })).text();
    const parts = [...text.matchAll(/--- pod (\S+), created \S+ ---\n\1\ndone\n/g)];
    expect(parts.map(([part]) => part).join("")).toBe(text);
    expect(new Set(parts.map(([, pod]) => pod)).size).toBe(4);
  },
);
