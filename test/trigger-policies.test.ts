import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Entry } from "../functions/core/record.ts";
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
import { active, entry, other, running, scheduled, window } from "./support/record-entries.ts";

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
  const getJob = [(wanted: unknown) => (wanted === name ? notFound : scheduled)];
  const { run, names } = prepare({
    script: { getCronJob: [cronJob({ status: { active } })], getJob },
    request: { onOverlap: "forbid" },
    records,
  });
  expect(await run()).toMatchObject({ outcome: "refused", job: { name: "sync-29" } });
  expect(names()).not.toContain("createJob");
});

it.each([
  ["scheduled Job that its status still calls active", { status: { active } }, []],
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
  expect(records.entries, "from now on whatever becomes of the Job").toMatchObject([{ state: "done", uid: "job-uid" }]);
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

it.each<[string, Entry[]]>([
  ["a new key", []],
  ["a key whose maker died long ago", [entry({ state: "pending", uid: "dead.1", atMs: Date.now() - 600_000 })]],
  ["a key that is expired", [entry({ atMs: Date.now() - 7_200_000 })]],
])(
  "with forbid a Job of the schedule that starts while the reservation of %s is written is in the way",
  async (_what, before) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const records = memoryRecords(before);
    const { commit } = records;
    records.commit = async (change, signal) => {
      const before = records.writes;
      const result = await commit(change, signal);
      if (records.writes > before) vi.advanceTimersByTime(2_500);
      return result;
    };
    const { run, names } = prepare({
      script: {
        getCronJob: [cronJob(), cronJob({ status: { active } })],
        getJob: [(wanted) => (wanted === name ? notFound : scheduled)],
      },
      ...{ request: { onOverlap: "forbid" }, config: window, records },
    });
    expect(await run()).toMatchObject({ outcome: "refused", job: { name: "sync-29" } });
    expect([names().includes("createJob"), records.entries]).toEqual([false, before]);
  },
);

it.each([
  ["a scheduled Job that started", { status: { active } }, "refused"],
  ["a suspension that came", { spec: { suspend: true } }, "skipped"],
  ["nothing new", {}, "created"],
])("with forbid a create that is tried again seconds later meets %s meanwhile", async (_what, of, outcome) => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
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

describe("where a delivery would make no Job while another one of its key may be creating it", () => {
  const inFlight = (more: Partial<Entry> = {}) => entry({ state: "pending", uid: "them.1", atMs: Date.now(), ...more });
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
    ["a scheduled Job", { status: { active } }, { onOverlap: "forbid" as const }],
  ])("is told to come back beside %s when it does not come", async (_what, of, request) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
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
