import { expect, it } from "vitest";
import { fails, notFound, unanswered } from "./support/fake-cluster.ts";
import { faultOf } from "./support/fault-of.ts";
import {
  cronJob,
  made,
  memoryRecords,
  name,
  ownJob,
  prepareTrigger as prepare,
  store,
} from "./support/prepare-trigger.ts";
import { entry, window } from "./support/record-entries.ts";

it("reserves the key, creates the Job, remembers it (two writes) and tells of it", async () => {
  const records = memoryRecords();
  const told: unknown[] = [];
  const { run, names } = prepare({
    script: { getCronJob: [cronJob()], createJob: [store] },
    config: window,
    records,
    announcer: { announce: (_sent, stored) => told.push(stored), settle: async () => {} },
  });
  expect(await run()).toEqual({ outcome: "created", job: made });
  expect(told).toEqual([made]);
  expect(records).toMatchObject({ writes: 2, entries: [{ slot: entry().slot, state: "done", uid: "job-uid" }] });
  expect(names()).toEqual(["getCronJob", "createJob"]);
});

it("does not create again what somebody found and told of while our create had no answer", async () => {
  const records = memoryRecords();
  const lost = () => {
    records.entries = [entry()]; // then the Job was removed
    return unanswered;
  };
  const { run, names } = prepare({
    script: { getCronJob: [cronJob()], createJob: [lost, store], getJob: [notFound] },
    config: window,
    records,
  });
  expect(await run()).toMatchObject({ outcome: "duplicate", job: { uid: "job-uid" } });
  expect(names()).toEqual(["getCronJob", "createJob", "getJob"]);
});

it("a key that made its Job with other parameters keeps that Job in others' way, and its own request", async () => {
  const dead = entry({ state: "pending", uid: "dead.1" });
  const records = memoryRecords([dead]);
  const exists = fails({ status: 409, reason: "AlreadyExists" });
  const script = { getCronJob: [cronJob()], createJob: [exists], getJob: [ownJob()] };
  const { run } = prepare({ script, config: window, request: { ifOlderThan: "1h" }, records });
  expect(await faultOf(run)).toMatchObject({ code: "key-reused" });
  expect(records.entries).toMatchObject([{ state: "done", uid: "job-uid", request: dead.request }]);
});

it.each([
  ["there", ownJob({ type: "Complete" }), "duplicate", ["getCronJob", "getJob"]],
  ["gone", notFound, "created", ["getCronJob", "getJob", "createJob"]],
])("without a window a key is known as long as its Job exists: it is %s", async (_what, job, outcome, calls) => {
  const records = memoryRecords([entry()]);
  const script = { getCronJob: [cronJob()], getJob: [job], createJob: [store] };
  const { run, names } = prepare({ script, records });
  expect(await run()).toMatchObject({ outcome });
  expect(names()).toEqual(calls);
});

it("answers a remembered key from the record alone, whatever became of its Job", async () => {
  const known = entry();
  for (const state of ["done", "ended"] as const) {
    const { run, calls } = prepare({ script: {}, config: window, records: memoryRecords([{ ...known, state }]) });
    expect(await run()).toMatchObject({ outcome: "duplicate", job: { name, uid: "job-uid" } });
    expect(calls).toEqual([]);
  }
});

it("refuses a remembered key with other parameters", async () => {
  const records = memoryRecords([entry({ request: "ffffff" })]);
  const { run, calls } = prepare({ script: {}, config: window, records });
  expect(await faultOf(run)).toMatchObject({ code: "key-reused", message: expect.stringContaining(`Job n/${name}`) });
  expect(calls).toEqual([]);
});
