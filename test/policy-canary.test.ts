import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "../functions/kubernetes/api-error.ts";
import { createPolicyCanary } from "../functions/policy-canary.ts";

const failed = (status: number, message: string) =>
  new ApiError({ call: "tryJob", status, reason: "", message, mayHaveTakenEffect: false });
const denial = failed(403, "ValidatingAdmissionPolicy 'sync-trigger-clone-only' denied request");
const cronJob = { metadata: { name: "sync", namespace: "n" }, spec: { jobTemplate: { spec: { template: {} } } } };
const signal = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** A canary that finds these in turn, the last one again and again; what it told. */
function start(...findings: (ApiError | "admitted")[]) {
  const told = { looks: 0, metric: [] as boolean[] };
  const canary = createPolicyCanary(
    {
      tryJob: async () => {
        told.looks += 1;
        const finding = findings.length > 1 ? findings.shift() : findings[0];
        if (finding instanceof ApiError) throw finding;
        return {};
      },
    },
    {
      isRequired: false,
      metrics: { setPolicyEnforced: (enforced: boolean) => void told.metric.push(enforced) } as never,
      log: { info: () => {}, warn: () => {} } as never,
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
