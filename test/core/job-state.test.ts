import { describe, expect, it } from "vitest";
import { failedPod, jobState } from "../../functions/core/job-state.ts";
import type { ContainerStatus, Job, Pod } from "../../functions/core/workload.ts";

const nowMs = Date.parse("2026-11-23T21:01:00Z");
const startTime = "2026-11-23T21:00:00Z";
const metadata = { name: "j", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: startTime };

const job = (status: Job["status"] = {}, spec: Partial<Job["spec"]> = {}): Job => ({
  metadata,
  spec: { template: { spec: { containers: [{ name: "sync" }] } }, ...spec },
  status,
});

const pod = (status: Pod["status"] = {}): Pod => ({ metadata, spec: { containers: [{ name: "sync" }] }, status });
const podWith = (phase: string, state: ContainerStatus["state"], more: Pod["status"] = {}): Pod =>
  pod({ phase, containerStatuses: [{ name: "sync", ...(state ? { state } : {}) }], ...more });

const running = podWith("Running", { running: {} });
const failed = (exitCode: number, reason = "Error", message?: string) =>
  podWith("Failed", { terminated: { exitCode, reason, ...(message === undefined ? {} : { message }) } });
const waiting = (reason: string, message?: string) =>
  podWith("Pending", { waiting: { reason, ...(message === undefined ? {} : { message }) } });
const unschedulable = pod({
  phase: "Pending",
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes" }],
});
const complete = {
  startTime,
  completionTime: "2026-11-23T21:00:42Z",
  conditions: [
    { type: "SuccessCriteriaMet", status: "True" },
    { type: "Complete", status: "True" },
  ],
};
const over = (reason: string, message: string) => ({
  startTime,
  conditions: [{ type: "Failed", status: "True", reason, message, lastTransitionTime: "2026-11-23T21:00:10Z" }],
});

it("the pod that tells why a Job failed is none that was ended because another one had failed", () => {
  const ended = { ...failed(143), metadata: { ...metadata, name: "b", deletionTimestamp: startTime } };
  expect(failedPod([failed(3), ended])).toEqual(failed(3));
  expect(failedPod([ended])).toBe(ended);
  const view = jobState(job(over("BackoffLimitExceeded", "m")), [failed(3), ended], nowMs);
  expect(view).toMatchObject({ state: "failed", exitCode: 3 });
});

describe("queued, with the reason", () => {
  it.each<[string, Job, Pod[], object]>([
    [
      "no pod yet",
      job({ startTime: "2026-11-23T21:00:31Z" }),
      [],
      { reason: "NoPod", message: "the Job controller has made no pod yet" },
    ],
    [
      "no pod for more than 30 s",
      job({ startTime: "2026-11-23T21:00:29Z" }),
      [],
      { reason: "NoPod", message: expect.stringMatching(/quota.*: kubectl -n n describe job j$/) },
    ],
    [
      "no pod, and a controller that has not even begun",
      job(),
      [],
      { reason: "NoPod", message: expect.stringMatching(/kubectl -n n describe job j$/) },
    ],
    ["suspended", job({}, { suspend: true }), [], { reason: "Suspended", message: "the Job is suspended" }],
    [
      "suspended, in the controller's words",
      job({ conditions: [{ type: "Suspended", status: "True", message: "Job suspended" }] }, { suspend: true }),
      [],
      { reason: "Suspended", message: "Job suspended" },
    ],
    ["no node", job({ startTime }), [unschedulable], { reason: "Unschedulable", message: "0/1 nodes" }],
    ["a node and nothing else", job(), [pod({ phase: "Pending" })], { reason: "ContainerCreating" }],
    ["an image to pull", job(), [waiting("ContainerCreating")], { reason: "ContainerCreating" }],
    ["no image", job(), [waiting("ImagePullBackOff", "x")], { reason: "ImagePullBackOff", message: "x" }],
    [
      "another container's trouble",
      job(),
      [
        pod({
          phase: "Pending",
          initContainerStatuses: [{ name: "init", state: { waiting: { reason: "ErrImagePull" } } }],
          containerStatuses: [{ name: "sync", state: { waiting: { reason: "PodInitializing" } } }],
        }),
      ],
      { reason: "ErrImagePull" },
    ],
  ])("%s", (_what, of, pods, expected) => {
    const state = jobState(of, pods, nowMs);
    expect(state).toMatchObject({ state: "queued", ...expected });
    expect(state).not.toHaveProperty("durationMs");
  });
});

describe("running", () => {
  it.each<[string, Job, Pod[] | undefined, string | undefined]>([
    ["a container that runs", job({ startTime }), [running], undefined],
    ["a pod that is ready, in a list", job({ startTime, active: 1, ready: 1 }), undefined, undefined],
    ["a container that has ended, the Job not yet", job({ startTime }), [failed(1)], undefined],
    ["a retry that waits for its node", job({ startTime, failed: 1 }), [failed(1), unschedulable], "Unschedulable"],
    ["a retry that runs", job({ startTime, failed: 1 }), [failed(1), running], undefined],
    ["the pause before a retry", job({ startTime, failed: 1 }), [], "NoPod"],
    [
      "a container that is restarted",
      job({ startTime }),
      [
        pod({
          phase: "Running",
          containerStatuses: [
            {
              name: "sync",
              state: { waiting: { reason: "CrashLoopBackOff" } },
              lastState: { terminated: { exitCode: 1 } },
            },
          ],
        }),
      ],
      "CrashLoopBackOff",
    ],
  ])("%s", (_what, of, pods, reason) => {
    const state = jobState(of, pods, nowMs);
    expect(state).toMatchObject({ state: "running", startedAt: startTime, durationMs: 60_000 });
    expect(state.reason).toBe(reason);
  });

  it("is not what a list says of a pod that is active and not ready", () => {
    expect(jobState(job({ startTime, active: 1, ready: 0 }), undefined, nowMs)).toEqual({
      state: "queued",
      startedAt: startTime,
    });
  });
});

describe("ended", () => {
  it("succeeded: with the time it took, and no reason", () => {
    expect(jobState(job(complete), [podWith("Succeeded", { terminated: { exitCode: 0 } })], nowMs)).toEqual({
      state: "succeeded",
      startedAt: startTime,
      finishedAt: "2026-11-23T21:00:42Z",
      durationMs: 42_000,
    });
  });

  it("is not what SuccessCriteriaMet, FailureTarget or a condition that is not True say", () => {
    for (const [type, status] of [
      ["SuccessCriteriaMet", "True"],
      ["FailureTarget", "True"],
      ["Complete", "False"],
    ] as const) {
      expect(jobState(job({ startTime, conditions: [{ type, status }] }), [running], nowMs).state).toBe("running");
    }
  });

  it.each<[string, Job["status"], Pod[], object]>([
    [
      "an exit code",
      over("BackoffLimitExceeded", "too often"),
      [failed(3)],
      { reason: "BackoffLimitExceeded", exitCode: 3, message: "too often; container sync ended with exit code 3" },
    ],
    [
      "memory",
      over("BackoffLimitExceeded", "too often"),
      [failed(137, "OOMKilled")],
      { exitCode: 137, message: "too often; container sync ended with exit code 137 (OOMKilled)" },
    ],
    [
      "the container's own last word",
      over("BackoffLimitExceeded", "too often"),
      [failed(1, "Error", "no key\n")],
      { message: "too often; container sync ended with exit code 1: no key" },
    ],
    ["the newest failed pod", over("BackoffLimitExceeded", "x"), [failed(1), failed(2), running], { exitCode: 2 }],
    [
      "a deadline, its pods deleted",
      over("DeadlineExceeded", "too long"),
      [],
      { reason: "DeadlineExceeded", message: "too long" },
    ],
    [
      "an eviction",
      over("BackoffLimitExceeded", "x"),
      [pod({ phase: "Failed", reason: "Evicted", message: "no memory left" })],
      { message: "x; no memory left" },
    ],
  ])("failed by %s", (_what, status, pods, expected) => {
    expect(jobState(job(status), pods, nowMs)).toMatchObject({
      state: "failed",
      finishedAt: "2026-11-23T21:00:10Z",
      durationMs: 10_000,
      ...expected,
    });
  });

  it("names the default container's exit code where several failed, and cuts long messages", () => {
    const two: Pod = {
      metadata: { ...metadata, annotations: { "kubectl.kubernetes.io/default-container": "b" } },
      spec: { containers: [{ name: "a" }, { name: "b" }] },
      status: {
        phase: "Failed",
        containerStatuses: ["a", "b"].map((name, index) => ({ name, state: { terminated: { exitCode: index + 1 } } })),
      },
    };
    const state = jobState(job(over("X", "m".repeat(5_000))), [two], nowMs);
    expect(state.exitCode).toBe(2);
    expect(state.message).toHaveLength(1_024);
  });
});
