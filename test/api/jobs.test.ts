import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem } from "../support/answers.ts";
import { idleCronJob, syncCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { askForJob, krakenSteps, readJob, scriptCronJob, startRun, untilJob, waitForRun } from "../support/runs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let namespace: string;
const running: FunctionProcess[] = [];

beforeAll(async () => {
  target = await openTarget("jobs");
  namespace = await target.createNamespace("jobs");
});

afterAll(async () => {
  await Promise.all(running.map((fn) => fn.stop()));
  await target?.close();
});

/** The function for a CronJob of its own. */
async function startFor(cronJob: JsonObject): Promise<FunctionProcess> {
  const { name } = cronJob.metadata as { name: string };
  await target.seedCronJob(namespace, cronJob);
  const env = { CRONJOB_NAME: name, CRONJOB_NAMESPACE: namespace, SYNC_STEPS: krakenSteps };
  const fn = await startFunction({ ...(await target.env()), ...env });
  running.push(fn);
  return fn;
}

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const unknownSteps = ["trades", "rewards"].map((name) => ({ name, state: "unknown" }));

describe("GET /jobs/NAME tells how a run stands", () => {
  test("of one that succeeds: duration, origin and the steps with line and time", async () => {
    const fn = await startFor(syncCronJob("succeeding", target.syncImage));
    const name = await startRun(fn, "prices changed");
    const answer = await waitForRun(fn, name);
    expect(answer.headers.get("preference-applied")).toBe("wait=25");
    expect(answer.headers.get("content-location")).toBe(`/jobs/${name}`);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await readJob(answer)).toEqual({
      name,
      namespace,
      uid: expect.any(String),
      origin: "manual",
      state: "succeeded",
      createdAt: isoTime,
      startedAt: isoTime,
      finishedAt: isoTime,
      durationMs: expect.any(Number),
      via: "http",
      requestedReason: "prices changed",
      steps: [
        { name: "trades", state: "seen", line: expect.stringMatching(/^trade sync: \d+ trades written/), at: isoTime },
        { name: "rewards", state: "seen", line: expect.stringMatching(/^reward sync: \d+ rewards/), at: isoTime },
      ],
    });
    expect(await readJob(await askForJob(fn, "latest"))).toMatchObject({ name, state: "succeeded" });
  });

  test("of one that fails: reason, exit code and the last lines, the missing step left unknown", async () => {
    const fn = await startFor(syncCronJob("failing", target.syncImage, { SYNC_FAIL: "rewards" }));
    const name = await startRun(fn);
    const job = await readJob(await waitForRun(fn, name));
    expect(job).toMatchObject({
      state: "failed",
      reason: "BackoffLimitExceeded",
      message: expect.stringContaining("container sync ended with exit code 3"),
      exitCode: 3,
      finishedAt: isoTime,
      steps: [
        { name: "trades", state: "seen" },
        { name: "rewards", state: "unknown" },
      ],
    });
    expect(job.lastLines?.at(-1)).toMatch(/^reward sync: failed/);
  });

  const waiting: [what: string, cronJob: () => JsonObject, reason: RegExp, message: RegExp][] = [
    [
      "whose image cannot be pulled",
      // Nobody listens there, so the kubelet need not wait for a name to be looked up.
      () => syncCronJob("no-image", "127.0.0.1:1/none:1"),
      /^(ErrImagePull|ImagePullBackOff)$/,
      /127\.0\.0\.1:1\/none:1/,
    ],
    [
      "that no node fits",
      () => scriptCronJob({ name: "no-node", image: target.syncImage, pod: { nodeSelector: { nowhere: "1" } } }, ""),
      /^Unschedulable$/,
      /0\/1 nodes/,
    ],
    ["that is suspended", () => idleCronJob("suspended"), /^Suspended$/, /suspended/i],
  ];

  test.each(waiting)("of one %s: queued, with the reason", async (_what, cronJob, reason, message) => {
    const fn = await startFor(cronJob());
    const name = await startRun(fn);
    const job = await untilJob(fn, name, `queued for ${reason}`, (seen) => reason.test(seen.reason ?? ""));
    expect(job).toMatchObject({ state: "queued", message: expect.stringMatching(message), steps: unknownSteps });
    expect(job).not.toHaveProperty("durationMs");
    const log = await fetch(`${fn.url}/jobs/${name}/logs`);
    expect(log.status).toBe(404);
    expect(await readProblem(log)).toMatchObject({
      type: "urn:sync-trigger:no-log-yet",
      detail: expect.stringMatching(new RegExp(`^Job ${name} is queued and has no log \\(.*${message.source}`, "i")),
    });
  });

  test("of one that runs, and of its retry: two pods, marked in the log", async () => {
    const script = "console.log('attempt of ' + process.env.HOSTNAME); setTimeout(() => process.exit(4), 1500)";
    const fn = await startFor(
      scriptCronJob({ name: "retried", image: target.syncImage, job: { backoffLimit: 1 } }, script),
    );
    const name = await startRun(fn);
    const runs = await untilJob(fn, name, "running", ({ state }) => state === "running");
    expect(runs).toMatchObject({ startedAt: isoTime, durationMs: expect.any(Number) });
    expect(runs).not.toHaveProperty("exitCode");

    const followed = fetch(`${fn.url}/jobs/${name}/logs?follow=true`).then((answer) => answer.text());
    const job = await readJob(await waitForRun(fn, name));
    expect(job).toMatchObject({
      state: "failed",
      reason: "BackoffLimitExceeded",
      exitCode: 4,
      lastLines: [/attempt of/].map(matching),
    });

    const log = await (await fetch(`${fn.url}/jobs/${name}/logs`)).text();
    const marker = /^--- pod (\S+), created \S+ ---$/;
    const lines = log.trimEnd().split("\n");
    expect(lines.map((line) => (marker.test(line) ? "marker" : line.replace(/of .*/, "")))).toEqual([
      "marker",
      "attempt ",
      "marker",
      "attempt ",
    ]);
    const pods = lines.flatMap((line) => marker.exec(line)?.[1] ?? []);
    expect(new Set(pods).size).toBe(2);
    // The first part was unmarked while nobody could know that there would be another.
    expect((await followed).trimEnd().split("\n")).toEqual(lines.slice(1));

    const second = await (await fetch(`${fn.url}/jobs/${name}/logs?pod=${pods[1]}`)).text();
    expect(second.trimEnd().split("\n")).toEqual(lines.slice(2));
    const tail = await (await fetch(`${fn.url}/jobs/${name}/logs?tailLines=5`)).text();
    expect(tail.trimEnd().split("\n")).toEqual(lines.slice(2));
  });

  test.each([
    ["history limit 0", "succeeded", { successfulJobsHistoryLimit: 0 }, {}],
    ["TTL 0", "succeeded", {}, { ttlSecondsAfterFinished: 0 }],
    ["failed history limit 0", "failed", { failedJobsHistoryLimit: 0 }, {}],
    ["TTL 0 after failing", "failed", {}, { ttlSecondsAfterFinished: 0 }],
  ])(
    "of one that %s removes when it has %s: its end to who waits for it, 404 to who comes later",
    async (what, state, cronJobSpec, jobSpec) => {
      const exitCode = state === "failed" ? 4 : 0;
      const cronJob = scriptCronJob(
        {
          name: what.toLowerCase().replaceAll(" ", "-"),
          image: target.syncImage,
          job: { backoffLimit: 0, ...jobSpec },
        },
        `console.log('trade sync: 1 trades written'); setTimeout(() => process.exit(${exitCode}), 3000)`,
      );
      Object.assign(cronJob.spec as JsonObject, cronJobSpec);
      const fn = await startFor(cronJob);
      const name = await startRun(fn);
      // Not before it runs: the longest wait is shorter than a busy node may need for a pod.
      await untilJob(fn, name, "running", (job) => job.state === "running");
      expect(await readJob(await askForJob(fn, name, 25))).toMatchObject({
        name,
        state,
        finishedAt: isoTime,
        ...(state === "failed" ? { reason: "BackoffLimitExceeded", message: matching(/backoff limit/) } : {}),
      });
      const later = await until("the Job to be gone", async () => {
        const answer = await askForJob(fn, name);
        return answer.status === 404 && answer;
      });
      expect(await readProblem(later)).toMatchObject({
        type: "urn:sync-trigger:job-not-found",
        detail: expect.stringContaining("history limits or a TTL remove finished Jobs"),
      });
    },
  );
});

function matching(pattern: RegExp) {
  return expect.stringMatching(pattern);
}
