import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { JsonObject } from "../functions/core/json.ts";
import { requestDigest } from "../functions/core/key.ts";
import { alreadyExists, fails, notFound, unreachable } from "./support/fake-cluster.ts";
import { faultOf } from "./support/fault-of.ts";
import {
  cronJob,
  digest,
  made,
  name,
  ownJob,
  prepareTrigger as prepare,
  store,
  type TriggerOptions,
} from "./support/prepare-trigger.ts";

describe("without policies", () => {
  it("reads the CronJob and creates the Job: two calls", async () => {
    const { run, calls, facts } = prepare({ script: { getCronJob: [cronJob()], createJob: [store] } });
    expect(await run()).toEqual({ outcome: "created", job: made });
    expect(calls).toEqual([
      ["getCronJob", undefined],
      ["createJob", expect.objectContaining({ kind: "Job", spec: { backoffLimit: 0 } })],
    ]);
    expect(facts).toEqual({ via: "http", keyDigest: digest, outcome: "created", job: name });
  });

  it("is too late when its machine was suspended: that clock went on, the monotonic one did not", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const suspended = () => {
      vi.setSystemTime(Date.now() + 3_600_000);
      return cronJob();
    };
    const { run, names } = prepare({ script: { getCronJob: [suspended], createJob: [store] } });
    expect(await faultOf(run)).toMatchObject({ code: "api-unavailable" });
    expect(names()).toEqual(["getCronJob"]);
  });

  it("tells of a Job that it made, and of no duplicate", async () => {
    const told: unknown[] = [];
    const announcer = {
      announce: (sent: JsonObject, stored: unknown) => told.push([sent.kind, stored]),
      settle: async () => {},
    };
    const script = { getCronJob: [cronJob()], createJob: [store, alreadyExists], getJob: [ownJob()] };
    const { run } = prepare({ script, announcer });
    await run();
    expect(told).toEqual([["Job", made]]);
    expect(await run()).toMatchObject({ outcome: "duplicate" });
    expect(told).toHaveLength(1);
  });

  it("is a duplicate when the key's Job is there", async () => {
    const { run, names } = prepare({
      script: { getCronJob: [cronJob()], createJob: [alreadyExists], getJob: [ownJob()] },
    });
    expect(await run()).toEqual({ outcome: "duplicate", job: made });
    expect(names()).toEqual(["getCronJob", "createJob", "getJob"]);
  });

  it("sends no create when what came before it took the whole time", async () => {
    const { run, names } = prepare({
      script: { getCronJob: [cronJob()], createJob: [store] },
      config: { triggerTimeoutMs: 2_000 },
      input: { spentMs: 2_001 },
    });
    expect(await faultOf(run)).toMatchObject({ code: "api-unavailable" });
    expect(names()).not.toContain("createJob");
  });

  it("writes into the Job where it came from", async () => {
    const event = { source: "/s", id: "1", type: "com.example.t" };
    const { run, calls } = prepare({
      script: { getCronJob: [cronJob()], createJob: [store] },
      request: { reason: "by hand" },
      input: { via: "event", event, requestedBy: "somebody" },
    });
    await run();
    const [, [, job] = []] = calls;
    expect((job as { metadata: JsonObject }).metadata.annotations).toEqual({
      "cronjob.kubernetes.io/instantiate": "manual",
      "sync-trigger.internal/key-digest": digest,
      "sync-trigger.internal/request-digest": requestDigest({ onOverlap: "allow" }),
      "sync-trigger.internal/via": "event",
      "sync-trigger.internal/traceparent": "00-t-s-00",
      "sync-trigger.internal/requested-by": "somebody",
      "sync-trigger.internal/event-source": "/s",
      "sync-trigger.internal/event-id": "1",
      "sync-trigger.internal/event-type": "com.example.t",
      "sync-trigger.internal/reason": "by hand",
    });
  });

  it.each([
    ["404", notFound, "cronjob-not-found", "CronJob n/sync does not exist"],
    ["403", fails({ status: 403 }), "api-refused", "get cronjobs was answered 403"],
    ["no answer", unreachable, "api-unavailable", "get cronjobs: ECONNREFUSED"],
  ])("creates nothing when the CronJob's read comes to %s", async (_what, answer, code, sentence) => {
    const { run, names } = prepare({ script: { getCronJob: [answer] } });
    expect(await faultOf(run)).toMatchObject({ code, message: expect.stringContaining(sentence) });
    expect(names()).toEqual(["getCronJob"]);
  });

  it("creates nothing when its time was over with the read", async () => {
    const { run, names } = prepare({ script: { getCronJob: [cronJob()] }, config: { triggerTimeoutMs: 0 } });
    expect(await faultOf(run)).toMatchObject({
      code: "api-unavailable",
      message: expect.stringMatching(/time was over/),
    });
    expect(names()).toEqual(["getCronJob"]);
  });

  it("creates nothing when the required policy is not enforced", async () => {
    const missing = new Error("not enforced");
    const { run, names } = prepare({
      script: { getCronJob: [cronJob()], createJob: [store] },
      canary: () => Promise.reject(missing),
    });
    await expect(run()).rejects.toBe(missing);
    expect(names()).toEqual(["getCronJob"]);
  });

  it.each(["forbid", "join"] as const)("refuses %s, which needs the record", async (onOverlap) => {
    const { run, names } = prepare({ script: { getCronJob: [cronJob()] }, request: { onOverlap } });
    const fault = await faultOf(run);
    expect(fault).toMatchObject({ code: "invalid-field", message: expect.stringContaining("DEDUPE_WINDOW") });
    expect(names()).not.toContain("createJob");
  });

  it.each([
    ["Allow", "created"],
    [undefined, "created"],
  ])("takes inherit where the CronJob's own policy is %s", async (concurrencyPolicy, outcome) => {
    const spec: JsonObject = concurrencyPolicy === undefined ? {} : { concurrencyPolicy };
    const { run } = prepare({
      script: { getCronJob: [cronJob({ spec: { jobTemplate: {}, ...spec } })], createJob: [store] },
      request: { onOverlap: "inherit" },
    });
    expect(await run()).toMatchObject({ outcome });
  });

  it("refuses inherit of Replace", async () => {
    const { run, names } = prepare({
      script: { getCronJob: [cronJob({ spec: { concurrencyPolicy: "Replace" } })], getJob: [notFound] },
      request: { onOverlap: "inherit" },
    });
    expect(await faultOf(run)).toMatchObject({ code: "invalid-field", message: expect.stringContaining("Replace") });
    expect(names()).not.toContain("createJob");
  });

  it("a key that made its Job before the CronJob's own policy became Replace is a duplicate", async () => {
    const { run } = prepare({
      script: {
        getCronJob: [cronJob({ spec: { concurrencyPolicy: "Replace" } })],
        getJob: [ownJob({ request: { onOverlap: "inherit" } })],
      },
      request: { onOverlap: "inherit" },
    });
    expect(await run()).toEqual({ outcome: "duplicate", job: made });
  });
});

describe("when the CronJob says that no run is wanted", () => {
  const suspended = cronJob({ spec: { suspend: true } });
  const now = new Date().toISOString();
  const fresh = cronJob({ status: { lastSuccessfulTime: now } });

  it.each<[what: string, options: Partial<TriggerOptions>, of: JsonObject, outcome: string, reason: string]>([
    ["suspended and skip", { config: { suspendedPolicy: "skip" } }, suspended, "skipped", "the CronJob is suspended"],
    [
      "suspended and reject",
      { config: { suspendedPolicy: "reject" } },
      suspended,
      "refused",
      "the CronJob is suspended",
    ],
    [
      "succeeded more recently",
      { request: { ifOlderThan: "26h" } },
      fresh,
      "skipped",
      `the CronJob succeeded at ${now}`,
    ],
  ])("(%s) creates nothing and says why", async (_what, options, of, outcome, reason) => {
    const { run, names, facts } = prepare({ script: { getCronJob: [of], getJob: [notFound] }, ...options });
    const result = await run();
    expect(result).toMatchObject({ outcome, job: null, reason: expect.stringContaining(reason) });
    expect(names()).toEqual(["getCronJob", "getJob"]);
    expect(facts).toMatchObject({ outcome, why: expect.stringContaining(reason) });
  });

  it("still answers a redelivery with the key's own Job", async () => {
    const { run, names } = prepare({
      script: { getCronJob: [suspended], getJob: [ownJob()] },
      config: { suspendedPolicy: "skip" },
    });
    expect(await run()).toEqual({ outcome: "duplicate", job: made });
    expect(names()).toEqual(["getCronJob", "getJob"]);
  });

  it("runs it all the same where the setting allows that, or the success is old", async () => {
    const allowed = prepare({ script: { getCronJob: [suspended], createJob: [store] } });
    expect(await allowed.run()).toMatchObject({ outcome: "created" });
    const old = prepare({
      script: { getCronJob: [cronJob({ status: { lastSuccessfulTime: made.createdAt } })], createJob: [store] },
      request: { ifOlderThan: "1s" },
    });
    expect(await old.run()).toMatchObject({ outcome: "created" });
  });
});
