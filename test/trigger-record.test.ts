import { describe, expect, it, onTestFinished, vi } from "vitest";
import { requestDigest } from "../functions/core/key.ts";
import type { Entry } from "../functions/core/record.ts";
import { Fault } from "../functions/errors.ts";
import { fails, notFound, type Scripted, unanswered } from "./support/fake-cluster.ts";
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

describe("with the record of keys", () => {
  const window = { dedupeWindowMs: 3_600_000 };
  const entry = (more: Partial<Entry> = {}): Entry => ({
    slot: name.slice("sync-".length),
    state: "done",
    atMs: Date.now() - 60_000,
    request: requestDigest({ onOverlap: "allow" }).slice(0, 6),
    uid: "job-uid",
    ...more,
  });
  const other = (more: Partial<Entry> = {}) => entry({ slot: `m${"a".repeat(17)}`, uid: "other-uid", ...more });
  const running = { metadata: { name: "x", namespace: "n", uid: "other-uid", creationTimestamp: made.createdAt } };

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

  it("with forbid a create that surely made nothing is refused beside another Job, and leaves no reservation", async () => {
    const records = memoryRecords();
    const interrupt = () => {
      records.entries = [...records.entries, other()];
      return fails({ status: 429 });
    };
    const getJob = [(wanted: unknown) => (wanted === name ? notFound : running)];
    const script = { getCronJob: [cronJob()], createJob: [interrupt], getJob };
    const { run } = prepare({ script, request: { onOverlap: "forbid" }, config: window, records });
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

  it.each([
    ["forbid", "refused"],
    ["join", "joined"],
  ] as const)("with %s is %s while another key's Job is unfinished", async (onOverlap, outcome) => {
    const records = memoryRecords([other()]);
    const getJob = [(wanted: unknown) => (wanted === name ? notFound : running)];
    const { run, names } = prepare({ script: { getCronJob: [cronJob()], getJob }, request: { onOverlap }, records });
    const result = await run();
    expect(result).toMatchObject({ outcome, job: { uid: "other-uid" }, reason: "Job x is unfinished" });
    expect(names()).not.toContain("createJob");
    expect(records.writes, "only answers that made a Job are remembered").toBe(0);
  });

  it("with forbid is refused while a scheduled Job is active", async () => {
    const records = memoryRecords();
    const scheduled = { metadata: { name: "sync-29", namespace: "n", uid: "s", creationTimestamp: made.createdAt } };
    const getJob = [(wanted: unknown) => (wanted === name ? notFound : scheduled)];
    const { run, names } = prepare({
      script: { getCronJob: [cronJob({ status: { active: [{ name: "sync-29" }] } })], getJob },
      request: { onOverlap: "forbid" },
      records,
    });
    expect(await run()).toMatchObject({ outcome: "refused", job: { name: "sync-29" } });
    expect(names()).not.toContain("createJob");
  });

  it.each([
    ["scheduled Job that its status still calls active", { status: { active: [{ name: "sync-29" }] } }, []],
    ["Job of the record", {}, [other()]],
  ])(
    "a success that the CronJob's status does not tell yet counts for ifOlderThan: of a %s",
    async (_what, of, record) => {
      const now = `${new Date().toISOString().slice(0, 19)}Z`;
      const conditions = [{ type: "Complete", status: "True" }];
      const ended = { metadata: { name: "sync-29", namespace: "n" }, status: { conditions, completionTime: now } };
      const { run, facts } = prepare({
        script: { getCronJob: [cronJob(of)], getJob: [(wanted) => (wanted === name ? notFound : ended)] },
        request: { onOverlap: "forbid", ifOlderThan: "26h" },
        records: memoryRecords(record),
      });
      expect(await run()).toMatchObject({ outcome: "skipped", job: null });
      expect(facts).toMatchObject({ cause: "recent-success", why: expect.stringContaining(now) });
    },
  );

  it("with forbid is a duplicate, not refused, when the unfinished Job is the key's own", async () => {
    const request = { onOverlap: "forbid" } as const;
    const getJob = [ownJob({ request })];
    const status = { active: [{ name }] };
    const records = memoryRecords();
    const { run } = prepare({ script: { getCronJob: [cronJob({ status })], getJob }, request, records });
    expect(await run()).toEqual({ outcome: "duplicate", job: made });
    expect(records.entries, "from now on whatever becomes of the Job").toMatchObject([
      { state: "done", uid: "job-uid" },
    ]);
  });

  it("with forbid says when the time was over before every other Job was looked at", async () => {
    const records = memoryRecords([other()]);
    const getJob = [() => new Promise<typeof unanswered>((resolve) => setTimeout(resolve, 30, unanswered))];
    const { run } = prepare({
      script: { getCronJob: [cronJob()], getJob },
      request: { onOverlap: "forbid" },
      config: { triggerTimeoutMs: 10 },
      records,
    });
    expect(await faultOf(run)).toMatchObject({
      code: "api-unavailable",
      message: expect.stringContaining("repeat: it goes on from there"),
      headers: { "Retry-After": expect.stringMatching(/^\d+$/) },
    });
  });

  it("with forbid runs when every other Job has ended", async () => {
    const records = memoryRecords([other()]);
    const ended = ownJob({ type: "Complete" });
    const { run } = prepare({
      script: { getCronJob: [cronJob()], getJob: [ended], createJob: [store] },
      request: { onOverlap: "forbid" },
      records,
    });
    expect(await run()).toMatchObject({ outcome: "created" });
  });

  describe("where a delivery would make no Job while another one of its key may be creating it", () => {
    const inFlight = (more: Partial<Entry> = {}) =>
      entry({ state: "pending", uid: "them.1", atMs: Date.now(), ...more });
    const succeeded = { status: { lastSuccessfulTime: new Date().toISOString() } };
    const absentThen = (...then: Scripted[]) => [notFound, ...then];

    it("waits for that Job, whatever the policies say by now", async () => {
      const request = { ifOlderThan: "1h" };
      const own = ownJob({ request: { onOverlap: "allow", ifOlderThanMs: 3_600_000 } });
      const { run, names } = prepare({
        script: { getCronJob: [cronJob(succeeded)], getJob: absentThen(own) },
        ...{ request, config: window, records: memoryRecords([inFlight()]) },
      });
      expect(await run()).toEqual({ outcome: "duplicate", job: made });
      expect(names()).toEqual(["getCronJob", "getJob", "getJob"]);
    });

    it.each([
      ["a success that is recent", succeeded, { ifOlderThan: "1h" }],
      ["a suspended CronJob", { spec: { suspend: true } }, {}],
      ["a scheduled Job", { status: { active: [{ name: "sync-29" }] } }, { onOverlap: "forbid" as const }],
    ])("is told to come back beside %s when it does not come", async (_what, of, request) => {
      vi.useFakeTimers({ toFake: ["performance"] });
      onTestFinished(() => void vi.useRealTimers());
      const scheduled = { metadata: { name: "sync-29", namespace: "n", uid: "s", creationTimestamp: made.createdAt } };
      const look = (wanted: unknown) => {
        if (wanted !== name) return scheduled;
        vi.advanceTimersByTime(1_000);
        return notFound;
      };
      const { run, names } = prepare({
        script: { getCronJob: [cronJob(of)], getJob: [look] },
        ...{ request, config: { ...window, suspendedPolicy: "reject" }, records: memoryRecords([inFlight()]) },
      });
      expect(await faultOf(run)).toMatchObject({ code: "in-flight", headers: { "Retry-After": "2" } });
      expect(names()).not.toContain("createJob");
    });

    it.each([
      ["its maker must be dead", { atMs: Date.now() - 31_000 }],
      ["the reservation is its own", { uid: "s.1" }],
    ])("is decided anew when %s", async (_what, more) => {
      const { run } = prepare({
        script: { getCronJob: [cronJob(succeeded)], getJob: [notFound] },
        ...{ request: { ifOlderThan: "1h" }, config: window, records: memoryRecords([inFlight(more)]) },
      });
      expect(await run()).toMatchObject({ outcome: "skipped" });
    });
  });

  describe("beside expired keys that nobody has seen ended", () => {
    const old = (slot: string) => other({ slot, atMs: Date.now() - 7_200_000 });
    const ended = { metadata: {}, status: { conditions: [{ type: "Complete", status: "True" }] } };
    const slots = ({ entries }: { entries: Entry[] }) => entries.map(({ slot }) => slot);
    const own = entry().slot;

    it.each([
      ["has ended", ended, [own]],
      ["is gone", notFound, [own]],
      ["still runs", running, ["ma", own]],
      ["cannot be looked at", fails({ status: 503 }), ["ma", own]],
    ])("a trigger looks at one, and drops it with its own done when its Job %s", async (_what, answer, expected) => {
      const records = memoryRecords([old("ma")]);
      const script = { getCronJob: [cronJob()], getJob: [answer], createJob: [store] };
      const { run, names } = prepare({ script, config: window, records });
      expect(await run()).toMatchObject({ outcome: "created" });
      expect(names()).toEqual(["getCronJob", "getJob", "createJob"]);
      expect([slots(records), records.writes]).toEqual([expected, 2]);
    });

    it("a create that is tried again looks no second time", async () => {
      const records = memoryRecords([old("ma")]);
      const looked: unknown[] = [];
      const look = (wanted: unknown) => {
        looked.push(wanted);
        return wanted === name ? notFound : running;
      };
      const script = { getCronJob: [cronJob()], getJob: [look], createJob: [fails({ status: 429 }), store] };
      expect(await prepare({ script, config: window, records }).run()).toMatchObject({ outcome: "created" });
      expect(looked).toEqual(["sync-ma", name]);
    });

    it("it is one of many, and not always the same", async () => {
      const seen = new Set<unknown>();
      for (let round = 0; seen.size < 3; round += 1) {
        const records = memoryRecords(["ma", "mb", "mc"].map(old));
        const look = (wanted: unknown) => {
          seen.add(wanted);
          return running;
        };
        const script = { getCronJob: [cronJob()], getJob: [look], createJob: [store] };
        const { run, names } = prepare({ script, config: window, records });
        await run();
        expect(names().filter((call) => call === "getJob")).toHaveLength(1);
        expect(round, "rounds until each was looked at").toBeLessThan(200);
      }
    });

    it("the answer does not wait for a look that gets none", async () => {
      const records = memoryRecords([old("ma")]);
      const script = { getCronJob: [cronJob()], getJob: [() => new Promise<never>(() => {})], createJob: [store] };
      const { run } = prepare({ script, config: window, records });
      expect(await run()).toMatchObject({ outcome: "created" });
      expect(slots(records)).toEqual(["ma", own]);
    });
  });

  it("a key that inherit let run is a duplicate when the CronJob's own policy needs the record by now", async () => {
    const script = {
      getCronJob: [cronJob({ spec: { concurrencyPolicy: "Forbid" } })],
      getJob: [ownJob({ request: { onOverlap: "inherit" } })],
    };
    expect(await prepare({ script, request: { onOverlap: "inherit" } }).run()).toEqual({
      outcome: "duplicate",
      job: made,
    });
    const anew = prepare({ script: { ...script, getJob: [notFound] }, request: { onOverlap: "inherit" } });
    expect(await faultOf(anew.run)).toMatchObject({ code: "invalid-field" });
  });

  it.each([
    ["a scheduled Job that started", { status: { active: [{ name: "sync-29" }] } }, "refused"],
    ["a suspension that came", { spec: { suspend: true } }, "skipped"],
    ["nothing new", {}, "created"],
  ])("with forbid a create that is tried again seconds later meets %s meanwhile", async (_what, of, outcome) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const scheduled = { metadata: { name: "sync-29", namespace: "n", uid: "s", creationTimestamp: made.createdAt } };
    const busy = () => {
      vi.advanceTimersByTime(2_500);
      return fails({ status: 429 });
    };
    const records = memoryRecords();
    const { run, names } = prepare({
      script: {
        getCronJob: [cronJob(), cronJob(of)],
        createJob: [busy, store],
        getJob: [(wanted) => (wanted === name ? notFound : scheduled)],
      },
      ...{ request: { onOverlap: "forbid" }, config: { ...window, suspendedPolicy: "skip" }, records },
    });
    expect(await run()).toMatchObject({ outcome });
    expect(names().filter((call) => call === "getCronJob")).toHaveLength(2);
    expect(records.entries.map(({ state }) => state)).toEqual(outcome === "created" ? ["done"] : []);
  });
});
