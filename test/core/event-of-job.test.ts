import { expect, it } from "vitest";
import { eventOfJob } from "../../functions/core/event-of-job.ts";
import { jobFromCronJob, type Provenance } from "../../functions/core/job-from-cronjob.ts";

const cronJob = { metadata: { name: "sync", namespace: "n", uid: "cronjob-uid" }, spec: { jobTemplate: { spec: {} } } };
const stored = { name: "sync-k1", namespace: "n", uid: "job-uid", createdAt: "2026-01-02T03:04:05Z" };
const provenance: Provenance = { keyDigest: "k", requestDigest: "r", via: "http", traceparent: "t" };
const eventOf = (more: Partial<Provenance> = {}) =>
  eventOfJob(jobFromCronJob(cronJob, "sync-k1", { ...provenance, ...more }), stored);

it("is about the CronJob, names its Job and has its name", () => {
  expect(eventOf()).toEqual({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "sync-k1", namespace: "n" },
    involvedObject: { apiVersion: "batch/v1", kind: "CronJob", name: "sync", uid: "cronjob-uid", namespace: "n" },
    related: { apiVersion: "batch/v1", kind: "Job", namespace: "n", name: "sync-k1", uid: "job-uid" },
    type: "Normal",
    reason: "ManualRun",
    message: "Created Job sync-k1: requested via http",
    source: { component: "sync-trigger" },
    count: 1,
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:04:05Z",
  });
});

it("says who asked, where that was verified", () => {
  const requestedBy = "system:serviceaccount:n:settings-page";
  expect(eventOf({ requestedBy }).message).toBe(`Created Job sync-k1: requested via http by ${requestedBy}`);
});

it("holds nothing that a caller may choose freely", () => {
  const text = JSON.stringify(
    eventOf({ reason: "chosen", eventId: "chosen", eventSource: "chosen", eventType: "chosen" }),
  );
  expect(text).not.toContain("chosen");
});
