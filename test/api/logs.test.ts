import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import type { ProxiedRequest } from "../support/fault-proxy.ts";
import type { FunctionProcess } from "../support/function-process.ts";
import { jobEnd, jobLog } from "../support/jobs.ts";
import { openLogStage } from "../support/log-stage.ts";
import { askForJob, readJob, scriptCronJob, startRun } from "../support/runs.ts";
import { until } from "../support/until.ts";

const { target, namespace, proxy, startFor, startScript, close } = await openLogStage("logs");
afterAll(close);

beforeEach(() => proxy.rule(() => undefined));

const isLog = ({ path }: ProxiedRequest) => path.includes("/log?");
const logRequests = () => proxy.requests.filter(isLog);
const readLog = (fn: FunctionProcess, job: string, query = "", init: RequestInit = {}) =>
  fetch(`${fn.url}/jobs/${job}/logs${query}`, { signal: AbortSignal.timeout(80_000), ...init });
const textOf = async (fn: FunctionProcess, job: string, query = "") => (await readLog(fn, job, query)).text();

/** Compares long texts without printing them. */
function expectSame(text: string, expected: string): void {
  const lines = linesIn(text);
  const at = linesIn(expected).findIndex((line, index) => line !== lines[index]);
  if (text !== expected)
    throw new Error(`${lines.length} lines; from ${at} on ${JSON.stringify(lines.slice(at, at + 3))}`);
}

/** The lines of a text, each with its line feed. */
const linesIn = (text: string) => text.match(/.*\n|.+$/g) ?? [];

/** The lines of an answer one by one, as they come. */
async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

describe("the log of a Job that has ended", () => {
  const count = 2_000;
  const script = `for (let n = 1; n <= ${count}; n += 1) console.log('line ' + n + ' \\u00e4\\u{1f600}'); process.stdout.write('no line feed')`;
  let fn: FunctionProcess;
  let job: string;
  let whole: string;

  beforeAll(async () => {
    fn = await startScript("ended", script);
    job = await startRun(fn);
    await jobEnd(target.api, namespace, job);
    whole = await jobLog(target.api, namespace, job);
    expect(linesIn(whole)).toHaveLength(count + 1);
  });

  test("is what the API server has, as plain text", async () => {
    const answer = await readLog(fn, job);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("content-location")).toBe(`/jobs/${job}/logs`);
    expect(await answer.text()).toBe(whole);
    expect(await textOf(fn, "latest")).toBe(whole);
  });

  test("ends by itself when it is followed", async () => {
    expect(await textOf(fn, job, "?follow=true")).toBe(whole);
  });

  test.each([0, 1, 7, count + 1, 999_999_999])("with tailLines=%i is its last lines", async (tailLines) => {
    const expected = tailLines === 0 ? "" : linesIn(whole).slice(-tailLines).join("");
    expect(await textOf(fn, job, `?tailLines=${tailLines}`)).toBe(expected);
  });

  test("answers HEAD with its headers and lets go of the log", async () => {
    const answer = await readLog(fn, job, "?follow=true", { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    await until("no log request to be open", () => !logRequests().some(({ isOpen }) => isOpen));
  });

  // A stamp with nanoseconds and a space stand before the text; an end right behind a line looks like the log's own.
  const firstLineBytes = 31 + Buffer.byteLength("line 1 \u00e4\u{1f600}\n");
  const breaks = (["break off", "end early"] as const).flatMap((kind) =>
    [1, 40, firstLineBytes, 5_000, 60_000].flatMap((afterBytes) => [
      { kind, afterBytes, query: "?follow=true" },
      // Nobody can tell a log that ends early from one that ends, unless it is followed to the end of its container.
      ...(kind === "break off" ? [{ kind, afterBytes, query: "" }] : []),
    ]),
  );

  test.each(breaks)(
    "comes whole and once although the API server's $kind after $afterBytes bytes ($query)",
    async ({ query, ...fault }) => {
      let left = fault.kind === "break off" ? 2 : 1;
      proxy.rule((request) => (isLog(request) && left-- > 0 ? fault : undefined));
      expectSame(await textOf(fn, job, query), whole);
      expect(left).toBeLessThan(0);
    },
  );

  test("after a sinceTime begins with the next line, to the nanosecond", async () => {
    const pods = await target.api.expect("GET", `/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${job}`);
    const [pod] = pods.items as { metadata: { name: string } }[];
    const path = `/api/v1/namespaces/${namespace}/pods/${pod?.metadata.name}/log?timestamps=true`;
    const stamps = (await target.api.call("GET", path)).text.split("\n").map((line) => line.split(" ")[0] ?? "");
    for (const index of [0, 1, 999, count - 1, count]) {
      const text = await textOf(fn, job, `?sinceTime=${encodeURIComponent(stamps[index] ?? "")}`);
      expect(text).toBe(
        linesIn(whole)
          .slice(index + 1)
          .join(""),
      );
    }
  });

  test("is given out in parts of LOG_LIMIT_BYTES that fit together", async () => {
    const limitBytes = 65_536;
    const env = { CRONJOB_NAME: "wordy", CRONJOB_NAMESPACE: namespace, LOG_LIMIT_BYTES: String(limitBytes) };
    const wordy = `for (let n = 1; n <= 4000; n += 1) console.log(n + ' ' + 'x'.repeat(n % 100))`;
    const small = await startScript("wordy", wordy, env);
    const name = await startRun(small);
    await jobEnd(target.api, namespace, name);
    let text = "";
    let path: string | undefined = `/jobs/${name}/logs`;
    let parts = 0;
    while (path !== undefined) {
      const part: string = await (await fetch(small.url + path)).text();
      const [note, next] = /--- sync-trigger: one answer holds at most 65536 bytes; resume with (\S+)\n$/.exec(
        part,
      ) ?? [""];
      const lines = part.slice(0, part.length - (note ?? "").length);
      expect(Buffer.byteLength(lines)).toBeLessThanOrEqual(limitBytes);
      text += lines;
      path = next;
      parts += 1;
    }
    expect(text).toBe(await jobLog(target.api, namespace, name));
    expect(parts).toBe(Math.ceil(Buffer.byteLength(text) / limitBytes));
  });
});

describe("the log of a Job that runs", () => {
  test("comes line by line while it is written, from before there is a pod to the end of the Job", async () => {
    const cronJob = scriptCronJob(
      { name: "live", image: target.syncImage, job: { suspend: true } },
      "let n = 0; const t = setInterval(() => { console.log('line ' + ++n); if (n === 5) clearInterval(t) }, 2_000)",
    );
    const fn = await startFor(cronJob);
    const job = await startRun(fn);
    const answer = await readLog(fn, job, "?follow=true");
    expect(answer.status).toBe(200);
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${job}`;
    const merge = { "content-type": "application/merge-patch+json" };
    await target.api.expect("PATCH", path, { spec: { suspend: false } }, merge);
    const lines = linesOf(answer);
    expect((await lines.next()).value).toBe("line 1");
    expect(await readJob(await askForJob(fn, job))).toMatchObject({ state: "running" });
    const rest: string[] = [];
    for await (const line of lines) rest.push(line);
    expect(rest).toEqual([2, 3, 4, 5].map((n) => `line ${n}`));
    expect(await readJob(await askForJob(fn, job))).toMatchObject({ state: "succeeded" });
  });

  test("ends 10 s before REQUEST_TIMEOUT_S with the query that goes on, and nothing is lost or doubled", async () => {
    const ticking = "let n = 0; const t = setInterval(() => { console.log(++n); if (n === 90) clearInterval(t) }, 100)";
    const fn = await startScript("ticking", ticking, { REQUEST_TIMEOUT_S: "15" });
    const job = await startRun(fn);
    const seen: string[] = [];
    let path: string | undefined = `/jobs/${job}/logs?follow=true`;
    let answers = 0;
    for (; path !== undefined; answers += 1) {
      const lines: string[] = (await (await fetch(fn.url + path)).text()).split("\n").slice(0, -1);
      const note = /^--- sync-trigger: one request lasts at most 15 s; resume with (\S+)$/.exec(lines.at(-1) ?? "");
      seen.push(...(note ? lines.slice(0, -1) : lines));
      path = note?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 90 }, (_, index) => String(index + 1)));
    expect(answers).toBeGreaterThanOrEqual(2);
  });

  test("ends with a line that says so when the Job is deleted", async () => {
    const fn = await startScript("deleted", "console.log('on it'); setTimeout(() => {}, 120_000)");
    const job = await startRun(fn);
    const lines = linesOf(await readLog(fn, job, "?follow=true"));
    expect((await lines.next()).value).toBe("on it");
    await target.api.expect(
      "DELETE",
      `/apis/batch/v1/namespaces/${namespace}/jobs/${job}?propagationPolicy=Background`,
    );
    expect((await lines.next()).value).toMatch(
      /^--- sync-trigger: CronJob .* has no Job "deleted-\S+"; history limits/,
    );
    expect((await lines.next()).done).toBe(true);
  });

  test("is let go of when its reader vanishes, whether lines come or not", async () => {
    const fn = await startScript("silent", "console.log('one'); setTimeout(() => {}, 120_000)");
    const job = await startRun(fn);
    await until("the container to run", async () => (await readJob(await askForJob(fn, job))).state === "running");
    for (const sinceTime of ["", "&sinceTime=2100-01-01T00:00:00Z"]) {
      const before = proxy.requests.length;
      const leaving = new AbortController();
      const answer = await readLog(fn, job, `?follow=true${sinceTime}`, { signal: leaving.signal });
      expect(answer.status).toBe(200);
      if (sinceTime === "") expect((await linesOf(answer).next()).value).toBe("one");
      const request = await until("the log to be open", () => proxy.requests.slice(before).find(isLog));
      expect(request.isOpen).toBe(true);
      leaving.abort();
      await until("the log to be let go of", () => !request.isOpen);
    }
    await target.api.expect(
      "DELETE",
      `/apis/batch/v1/namespaces/${namespace}/jobs/${job}?propagationPolicy=Background`,
    );
  });
});

test("a log whose right is missing is a 501, and so are the steps in it", async () => {
  const fn = await startScript("no-right", "console.log('x')", { SYNC_STEPS: "x=x" });
  const job = await startRun(fn);
  await jobEnd(target.api, namespace, job);
  proxy.rule((request) => (isLog(request) ? { kind: "answer", status: 403, body: { kind: "Status" } } : undefined));
  for (const path of [`/jobs/${job}/logs`, `/jobs/${job}/logs?follow=true`, `/jobs/${job}`]) {
    expect((await fetch(fn.url + path)).status).toBe(501);
  }
  proxy.rule((request) => (isLog(request) ? { kind: "answer", status: 500 } : undefined));
  expect((await readLog(fn, job)).status).toBe(503);
  expect(await readJob(await askForJob(fn, job))).toMatchObject({ state: "succeeded", steps: [{ state: "unknown" }] });
});

test.runIf(process.env.TEST_TARGET === "real")(
  "of several containers the annotated one is read, any other by its name (the embedded cluster runs one)",
  async () => {
    const cronJob = scriptCronJob({ name: "pair", image: target.syncImage }, "console.log('of the first')");
    const { jobTemplate } = cronJob.spec as { jobTemplate: { spec: { template: JsonObject } } };
    const template = jobTemplate.spec.template as JsonObject & { spec: JsonObject & { containers: JsonObject[] } };
    template.metadata = { annotations: { "kubectl.kubernetes.io/default-container": "second" } };
    const [first] = template.spec.containers;
    template.spec.containers.push({
      ...first,
      name: "second",
      command: ["node", "-e", "console.log('of the second')"],
    });
    template.spec.initContainers = [{ ...first, name: "init", command: ["node", "-e", "console.log('of the init')"] }];
    const fn = await startFor(cronJob);
    const job = await startRun(fn);
    await jobEnd(target.api, namespace, job);
    expect(await textOf(fn, job)).toBe("of the second\n");
    expect(await textOf(fn, job, "?container=sync&follow=true")).toBe("of the first\n");
    expect(await textOf(fn, job, "?container=init")).toBe("of the init\n");
    expect(await textOf(fn, job, "?container=x")).toContain("it has sync, second, init");
  },
);
