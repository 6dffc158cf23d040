import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { JsonObject } from "../functions/core/json.ts";
import { ApiError } from "../functions/kubernetes/api-error.ts";
import { createPolicyCanary } from "../functions/policy-canary.ts";

const failed = (status: number, message: string) =>
  new ApiError({ call: "tryJob", status, reason: "", message, mayHaveTakenEffect: false });
const denial = failed(403, "ValidatingAdmissionPolicy 'sync-trigger-clone-only.n' with binding 'b' denied request");
const cronJob = { metadata: { name: "sync", namespace: "n" }, spec: { jobTemplate: { spec: { template: {} } } } };
const metrics = { setPolicyEnforced: () => {} } as never;
const log = { info: () => {}, warn: () => {} } as never;
const signal = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const isLabelled = ({ metadata }: JsonObject) =>
  "sync-trigger.internal/component" in (metadata as { labels: object }).labels;

/** A canary that finds these in turn, the last one again and again; what it told. */
function start(...findings: (ApiError | "admitted")[]) {
  const told = { looks: 0, metric: [] as boolean[] };
  const canary = createPolicyCanary(
    {
      tryJob: async (job) => {
        if (isLabelled(job)) throw denial;
        told.looks += 1;
        const finding = findings.length > 1 ? findings.shift() : findings[0];
        if (finding instanceof ApiError) throw finding;
        return {};
      },
    },
    {
      isRequired: false,
      metrics: { setPolicyEnforced: (enforced: boolean) => void told.metric.push(enforced) } as never,
      log,
    },
  );
  const trigger = async (laterMs = 0) => {
    await vi.advanceTimersByTimeAsync(laterMs);
    await canary.beforeTrigger(cronJob, signal, Promise.resolve());
    await vi.advanceTimersByTimeAsync(2_000);
  };
  return { told, trigger, canary };
}

it("looks once for many triggers, some time after the first", async () => {
  const { told, trigger } = start(denial);
  for (let count = 0; count < 5; count += 1) await trigger();
  expect(told).toEqual({ looks: 1, metric: [true] });
});

it("looks after the answer, however long the trigger takes", async () => {
  const { told, canary } = start(denial);
  const answered = Promise.withResolvers<void>();
  await canary.beforeTrigger(cronJob, signal, answered.promise);
  await vi.advanceTimersByTimeAsync(14_000);
  expect(told.looks).toBe(0);
  answered.resolve();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(told.looks).toBe(1);
});

it("looks again after 5 minutes: somebody may have removed the policy", async () => {
  const { told, trigger } = start(denial, "admitted");
  await trigger();
  await trigger(290_000);
  expect(told.looks).toBe(1);
  await trigger(10_000);
  expect(told.looks).toBe(2);
  expect(told.metric).toEqual([true, false]);
});

it("looks again at the next trigger when nobody could tell", async () => {
  const { told, trigger } = start(failed(0, "no answer within the deadline"), denial);
  await trigger();
  expect(told).toEqual({ looks: 1, metric: [] });
  await trigger();
  expect(told).toEqual({ looks: 2, metric: [true] });
});

it("alters nothing that another policy could be about: one annotation, and no field of the spec", async () => {
  const images = {
    metadata: cronJob.metadata,
    spec: { jobTemplate: { spec: { template: { containers: ["image"] } } } },
  };
  const posted: JsonObject[] = [];
  const canary = createPolicyCanary(
    { tryJob: async (job) => Promise.reject(posted.push(job) && denial) },
    { isRequired: true, metrics, log },
  );
  await canary.beforeTrigger(images, signal, Promise.resolve());
  const [job = {}] = posted;
  expect(job.spec).toEqual(images.spec.jobTemplate.spec);
  const { annotations } = job.metadata as { annotations: JsonObject };
  const foreign = Object.keys(annotations).filter((key) => !key.startsWith("sync-trigger.internal/"));
  expect(foreign).toEqual(["cronjob.kubernetes.io/instantiate", "sync-trigger-canary"]);
});

it("lets one whose time is over leave a look that others share", async () => {
  const answer = Promise.withResolvers<JsonObject>();
  const signals: AbortSignal[] = [];
  const tryJob = (_job: JsonObject, options: { signal: AbortSignal }) => {
    signals.push(options.signal);
    options.signal.addEventListener("abort", () => answer.reject(failed(0, "aborted")));
    return answer.promise;
  };
  const canary = createPolicyCanary({ tryJob }, { isRequired: true, metrics, log });
  const hasty = new AbortController();
  const first = canary.beforeTrigger(cronJob, hasty.signal, Promise.resolve());
  const second = canary.beforeTrigger(cronJob, signal, Promise.resolve());
  hasty.abort(new Error("the first caller's time is over"));
  await expect(first).rejects.toMatchObject({ code: "policy-missing" });
  expect(signals).toHaveLength(1);
  answer.reject(denial);
  await expect(second).resolves.toBeUndefined();
});

it.each([
  ["is admitted", undefined, "not enforced"],
  [
    "is denied by a policy that only has our name in its message",
    failed(403, "quota of sync-trigger-clone-only"),
    "unknown",
  ],
])("is not enforced when a Job with our label %s", async (_what, failure, finding) => {
  const tryJob = async (job: JsonObject) => {
    if (!isLabelled(job)) throw denial;
    if (failure) throw failure;
    return {};
  };
  const canary = createPolicyCanary({ tryJob }, { isRequired: true, metrics, log });
  await expect(canary.beforeTrigger(cronJob, signal, Promise.resolve())).rejects.toMatchObject({
    code: "policy-missing",
    message: expect.stringContaining(`is ${finding};`),
  });
});
