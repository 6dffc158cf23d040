import { expect, it, onTestFinished, vi } from "vitest";
import type { JsonObject } from "../functions/core/json.ts";
import { type Entry, formatRecord } from "../functions/core/record.ts";
import { Fault } from "../functions/errors.ts";
import { ApiError } from "../functions/kubernetes/api-error.ts";
import { createRecordStore } from "../functions/record-store.ts";
import { fails, notFound, unanswered } from "./support/fake-cluster.ts";
import { faultOf } from "./support/fault-of.ts";
import { cronJob, memoryRecords, name, ownJob, prepareTrigger as prepare, store } from "./support/prepare-trigger.ts";
import { entry, other, running, window } from "./support/record-entries.ts";

it.each([
  ["that is refused is as if it had never been", { status: 422 }, "api-refused", []],
  ["that was not served is as if it had never been", { status: 429, retryAfterS: 60 }, "api-unavailable", []],
  ["that was not sent is as if it had never been", { status: 0, retryAfterS: 60 }, "api-unavailable", []],
  [
    "whose Job may still come is given up, so that a redelivery tries again",
    { status: 503, retryAfterS: 60, mayHaveTakenEffect: true },
    "api-unavailable",
    [{ state: "pending", uid: "-" }],
  ],
])("a create %s", async (_what, failure, code, entries) => {
  const records = memoryRecords();
  const script = { getCronJob: [cronJob()], createJob: [fails(failure), store], getJob: [notFound] };
  const { run } = prepare({ script, config: window, records });
  expect(await faultOf(run)).toMatchObject({ code });
  expect(records.entries).toMatchObject(entries);
  expect(await run()).toMatchObject({ outcome: "created" });
  expect(records.entries).toMatchObject([{ state: "done", uid: "job-uid" }]);
});

it("a create without an answer keeps the key for its maker, because its Job may still come", async () => {
  const records = memoryRecords();
  const script = { getCronJob: [cronJob()], createJob: [unanswered], getJob: [notFound] };
  const { run } = prepare({ script, config: window, records });
  expect(await faultOf(run)).toMatchObject({ code: "outcome-unknown" });
  expect(records.entries).toMatchObject([{ state: "pending", uid: expect.stringMatching(/^s\./) }]);
});

it("a create without an answer stays one when the record cannot be written for another attempt", async () => {
  const records = memoryRecords();
  const lost = () => {
    records.commit = () => Promise.reject(new Fault("api-unavailable", "no record"));
    return unanswered;
  };
  const script = { getCronJob: [cronJob()], createJob: [lost], getJob: [notFound] };
  expect(await faultOf(prepare({ script, config: window, records }).run)).toMatchObject({ code: "outcome-unknown" });
  expect(records.entries).toMatchObject([{ state: "pending", uid: "s.1" }]);
});

it.each([
  ["that got no answer", unanswered, "outcome-unknown"],
  ["that failed without a clear answer", fails({ status: 503, mayHaveTakenEffect: true }), "api-unavailable"],
])("with forbid a create %s is not told refused when another Job is there by then", async (_what, failed, code) => {
  const records = memoryRecords();
  const interrupt = () => {
    records.entries = [...records.entries, other()];
    return failed;
  };
  const getJob = [(wanted: unknown) => (wanted === name ? notFound : running)];
  const script = { getCronJob: [cronJob()], createJob: [interrupt], getJob };
  const { run } = prepare({ script, request: { onOverlap: "forbid" }, config: window, records });
  expect(await faultOf(run)).toMatchObject({ code });
});

it("a create that surely made nothing, after one that may have, keeps the key in others' way", async () => {
  const records = memoryRecords();
  const createJob = [fails({ status: 500, mayHaveTakenEffect: true }), fails({ status: 422 })];
  const { run } = prepare({
    script: { getCronJob: [cronJob()], createJob, getJob: [notFound] },
    config: window,
    records,
  });
  expect(await faultOf(run)).toMatchObject({ code: "api-refused" });
  expect(records.entries).toMatchObject([{ state: "pending", uid: "-" }]);
});

it("a trigger whose time is over before its create is sent leaves no reservation", async () => {
  const records = memoryRecords();
  const { commit } = records;
  records.commit = async (change, signal) => {
    const result = await commit(change, signal);
    vi.spyOn(performance, "now").mockReturnValue(Number.MAX_SAFE_INTEGER); // as after a freeze: no timer has fired yet
    return result;
  };
  onTestFinished(() => void vi.restoreAllMocks());
  const { run, names } = prepare({ script: { getCronJob: [cronJob()] }, config: window, records });
  expect(await faultOf(run)).toMatchObject({ code: "api-unavailable" });
  expect([names(), records.entries]).toEqual([["getCronJob"], []]);
});

/** A trigger with forbid whose create is not served, and beside which another key's Job comes. */
function prepareInterrupted(records: ReturnType<typeof memoryRecords>) {
  const interrupt = () => {
    records.entries = [...records.entries, other()];
    return fails({ status: 429 });
  };
  const getJob = [(wanted: unknown) => (wanted === name ? notFound : running)];
  const script = { getCronJob: [cronJob()], createJob: [interrupt], getJob };
  return prepare({ script, request: { onOverlap: "forbid" }, config: window, records });
}

it("with forbid a create that surely made nothing is refused beside another Job, and leaves no reservation", async () => {
  const records = memoryRecords();
  const { run } = prepareInterrupted(records);
  expect(await run()).toMatchObject({ outcome: "refused", job: { uid: "other-uid" } });
  expect(records.entries).toEqual([expect.objectContaining({ uid: "other-uid" })]);
});

it("a reservation that was stored without an answer is given back", async () => {
  const records = memoryRecords();
  const { commit } = records;
  let commits = 0;
  records.commit = async (change, signal) => {
    const result = await commit(change, signal);
    commits += 1;
    if (commits === 2) throw new Fault("api-unavailable", "no answer");
    return result;
  };
  const { run, names } = prepare({ script: { getCronJob: [cronJob()] }, config: window, records });
  expect(await faultOf(run)).toMatchObject({ code: "api-unavailable" });
  expect([records.writes, records.entries, names()]).toEqual([2, [], ["getCronJob"]]);
});

const minuteMs = 60_000;
const ago = (ms: number) => Date.now() - ms;
const earlier: [what: string, of: Partial<Entry>][] = [
  ["whose maker died half a minute ago", { state: "pending", uid: "dead.1", atMs: ago(31_000) }],
  ["whose maker died long ago", { state: "pending", uid: "dead.1", atMs: ago(10 * minuteMs) }],
  ["whose maker gave it up without a clear answer", { state: "pending", uid: "-", atMs: ago(5_000) }],
  ["that is expired while its Job may run", { state: "done", atMs: ago(120 * minuteMs) }],
];
const lost = earlier.filter(([, { uid }]) => uid !== "-");

it.each(
  earlier.flatMap(([what, of]) => [
    [what, "is not served", of, fails({ status: 429, retryAfterS: 60 }), notFound, "api-unavailable"] as const,
    [
      what,
      "and the look are not served",
      of,
      fails({ status: 429 }),
      fails({ status: 503 }),
      "api-unavailable",
    ] as const,
    [what, "is refused", of, fails({ status: 422 }), notFound, "api-refused"] as const,
  ]),
)("a key %s is as it was when the create of a later delivery %s", async (_what, _how, of, create, look, code) => {
  const before = entry(of);
  const records = memoryRecords([before]);
  const script = { getCronJob: [cronJob()], createJob: [create], getJob: [look] };
  expect(await faultOf(prepare({ script, config: window, records }).run)).toMatchObject({ code });
  expect(records.entries).toEqual([before]);
});

it.each(earlier)(
  "a key %s is as if just reserved when a later create fails without a clear answer",
  async (_what, of) => {
    const records = memoryRecords([entry(of)]);
    const createJob = [fails({ status: 503, retryAfterS: 60, mayHaveTakenEffect: true })];
    const script = { getCronJob: [cronJob()], createJob, getJob: [notFound] };
    expect(await faultOf(prepare({ script, config: window, records }).run)).toMatchObject({ code: "api-unavailable" });
    expect(records.entries).toMatchObject([{ state: "pending", uid: "-" }]);
    expect(records.entries[0]?.atMs).toBeGreaterThan(ago(minuteMs / 2));
  },
);

it.each(lost)("a key %s is refused beside a Job that came while its create was not served", async (_what, of) => {
  const before = entry(of);
  const records = memoryRecords([before]);
  const { run } = prepareInterrupted(records);
  expect(await run()).toMatchObject({ outcome: "refused", job: { uid: "other-uid" } });
  expect(records.entries.find(({ slot }) => slot === before.slot)).toEqual(before);
});

it("a key whose maker died long ago does not hold up others", async () => {
  const records = memoryRecords([other({ state: "pending", uid: "dead.1", atMs: ago(10 * minuteMs) })]);
  const dead = records.entries[0]?.slot;
  const script = { getCronJob: [cronJob()], getJob: [notFound], createJob: [store] };
  const { run } = prepare({ script, request: { onOverlap: "forbid" }, config: window, records });
  expect(await run()).toMatchObject({ outcome: "created" });
  expect(records.entries.map(({ slot }) => slot)).not.toContain(dead);
});

it("what was replaced is not forgotten when the write of the reservation got no answer", async () => {
  const before = entry({ state: "pending", uid: "dead.1", atMs: Math.floor(ago(31_000) / 1_000) * 1_000 });
  let lease: JsonObject = { metadata: { annotations: { "sync-trigger.internal/record": formatRecord([before]) } } };
  let writes = 0;
  const records = createRecordStore({
    getLease: async () => lease,
    updateLease: async (next) => {
      lease = next;
      writes += 1;
      if (writes > 1) return next;
      throw new ApiError({ call: "updateLease", status: 0, reason: "", message: "", mayHaveTakenEffect: true });
    },
  });
  const script = { getCronJob: [cronJob()], createJob: [fails({ status: 422 })], getJob: [notFound] };
  expect(await faultOf(prepare({ script, config: window, records }).run)).toMatchObject({ code: "api-refused" });
  expect(writes).toBe(3);
  const { annotations } = lease.metadata as { annotations: Record<string, string> };
  expect(annotations["sync-trigger.internal/record"]).toBe(formatRecord([before]));
});

it("a Job that is there already and cannot be read keeps the key in others' way", async () => {
  const records = memoryRecords();
  const createJob = [fails({ status: 409, reason: "AlreadyExists" })];
  const script = { getCronJob: [cronJob()], createJob, getJob: [fails({ status: 503 })] };
  expect(await faultOf(prepare({ script, config: window, records }).run)).toMatchObject({ code: "api-unavailable" });
  expect(records.entries).toMatchObject([{ state: "pending", uid: "-" }]);
});

it("so does one that was made with other parameters, where its own cannot be read", async () => {
  const records = memoryRecords();
  const getJob = [ownJob(), fails({ status: 503 })];
  const script = { getCronJob: [cronJob()], createJob: [fails({ status: 422 })], getJob };
  const { run } = prepare({ script, config: window, request: { ifOlderThan: "1h" }, records });
  expect(await faultOf(run)).toMatchObject({ code: "key-reused" });
  expect(records.entries).toMatchObject([{ state: "pending", uid: "-" }]);
});

it("a key of its own whose name another's Job has leaves no reservation", async () => {
  const records = memoryRecords();
  const foreign = { metadata: { name, namespace: "n", uid: "foreign" } };
  const createJob = [fails({ status: 409, reason: "AlreadyExists" })];
  const { run } = prepare({
    script: { getCronJob: [cronJob()], createJob, getJob: [foreign] },
    config: window,
    records,
  });
  expect(await faultOf(run)).toMatchObject({ code: "foreign-job" });
  expect(records.entries).toEqual([]);
});

it("a reservation whose write is still under way when the time is over is given back", async () => {
  let lease: JsonObject = { metadata: { name: "sync-trigger" } };
  const held = Promise.withResolvers<void>();
  const records = createRecordStore({
    getLease: async () => lease,
    updateLease: async (next) => {
      await held.promise;
      lease = next;
      return next;
    },
  });
  const config = { ...window, triggerTimeoutMs: 50 };
  const { run, names } = prepare({ script: { getCronJob: [cronJob()] }, config, records });
  expect(await faultOf(run)).toMatchObject({ code: "api-unavailable" });
  held.resolve();
  await records.settle(5_000);
  expect(JSON.stringify(lease), "as written last").toContain('"sync-trigger.internal/record":""');
  expect(names()).toEqual(["getCronJob"]);
});
