import { expect, it } from "vitest";
import type { JsonObject } from "../functions/core/json.ts";
import type { Entry } from "../functions/core/record.ts";
import { ApiError } from "../functions/kubernetes/api-error.ts";
import { createRecordStore, readAhead } from "../functions/record-store.ts";
import { faultOf } from "./support/fault-of.ts";

const signal = () => AbortSignal.timeout(10_000);
const entry = (slot: string): Entry => ({ slot, state: "done", atMs: 0, request: "abcdef", uid: "u" });

/** A store on a Lease in memory; `hold` keeps the next write from ending until it is settled. */
function start({ hold }: { hold?: Promise<void> } = {}) {
  let lease: JsonObject = { metadata: { name: "sync-trigger" } };
  const calls: string[] = [];
  const store = createRecordStore({
    getLease: async () => {
      calls.push("get");
      return lease;
    },
    updateLease: async (next: JsonObject) => {
      calls.push("update");
      await hold;
      lease = next;
      return lease;
    },
  });
  const add = (slot: string, until = signal()) =>
    store.commit((entries) => ({ entries: [...entries, entry(slot)], result: slot }), until);
  const look = () => store.commit((entries) => ({ result: entries.map(({ slot }) => slot) }), signal());
  return { store, calls, add, look };
}

it("reads once, and then only looks at what it knows", async () => {
  const { look, calls } = start();
  expect(await look()).toEqual([]);
  expect(await look()).toEqual([]);
  expect(calls).toEqual(["get"]);
});

it("ends every look, also of those that come in one turn of the event loop", async () => {
  const { look } = start();
  await look();
  for (let round = 0; round < 3; round += 1) expect(await Promise.all([look(), look(), look()])).toEqual([[], [], []]);
});

it("a change that comes in answer to another one is stored too", async () => {
  const { add, look } = start();
  expect(await add("a").then(() => add("b"))).toBe("b");
  expect(await look()).toEqual(["a", "b"]);
});

it("changes that come while a write is under way go out in one write", async () => {
  const held = Promise.withResolvers<void>();
  const { add, calls, look } = start({ hold: held.promise });
  const first = add("a");
  await new Promise(setImmediate);
  const others = ["b", "c", "d"].map((slot) => add(slot));
  held.resolve();
  await Promise.all([first, ...others]);
  expect(calls).toEqual(["get", "update", "update"]);
  expect(await look()).toEqual(["a", "b", "c", "d"]);
});

it("a look does not wait for a write that is under way: it sees what is stored, until that is", async () => {
  const held = Promise.withResolvers<void>();
  const { add, look } = start({ hold: held.promise });
  await look();
  const first = add("a");
  await new Promise(setImmediate);
  expect(await look()).toEqual([]);
  held.resolve();
  await first;
  expect(await look()).toEqual(["a"]);
});

it("a look after a refresh waits for what is stored by then", async () => {
  const held = Promise.withResolvers<void>();
  const { store, add, look, calls } = start({ hold: held.promise });
  await look();
  const first = add("a");
  await new Promise(setImmediate);
  store.refresh();
  const fresh = look();
  held.resolve();
  expect([await first, await fresh]).toEqual(["a", ["a"]]);
  expect(calls).toEqual(["get", "update", "get"]);
});

it("a change whose time is over is a 503 to come back after, and is not applied any more", async () => {
  const held = Promise.withResolvers<void>();
  const { add, look } = start({ hold: held.promise });
  const first = add("a");
  await new Promise(setImmediate);
  const leaving = new AbortController();
  const late = faultOf(() => add("b", leaving.signal));
  leaving.abort();
  expect(await late).toMatchObject({ code: "api-unavailable", headers: { "Retry-After": "5" } });
  held.resolve();
  await first;
  expect(await look()).toEqual(["a"]);
});

it.each([
  ["does not serve us, it is asked three times", { status: 503, reason: "" }, 3, "api-unavailable"],
  ["says that others were first, twelve times", { status: 409, reason: "Conflict" }, 12, "api-unavailable"],
])("where the API server %s", async (_what, { status, reason }, times, code) => {
  let writes = 0;
  const store = createRecordStore({
    getLease: async () => ({ metadata: { name: "sync-trigger" } }),
    updateLease: () => {
      writes += 1;
      const failure = { call: "updateLease", status, reason, message: "", mayHaveTakenEffect: false } as const;
      return Promise.reject(new ApiError(failure));
    },
  });
  const change = () => store.commit(() => ({ entries: [entry("a")], result: "a" }), signal());
  expect(await faultOf(change)).toMatchObject({ code });
  expect(writes).toBe(times);
});

it("counts the attempts of each change for itself: one that comes late in another's row has its own", async () => {
  let writes = 0;
  let late: Promise<string> | undefined;
  const add = (slot: string) =>
    store.commit((entries) => ({ entries: [...entries, entry(slot)], result: slot }), signal());
  const store = createRecordStore({
    getLease: async () => ({ metadata: { name: "sync-trigger" } }),
    updateLease: async (next) => {
      writes += 1;
      if (writes === 11) late = add("late");
      if (writes > 12) return next;
      throw new ApiError({
        call: "updateLease",
        status: 409,
        reason: "Conflict",
        message: "",
        mayHaveTakenEffect: false,
      });
    },
  });
  expect(await faultOf(() => add("first"))).toMatchObject({ code: "api-unavailable" });
  expect(await late).toBe("late");
});

it("settles when nothing is under way, or when the time is over", async () => {
  const held = Promise.withResolvers<void>();
  const { store, add, look } = start({ hold: held.promise });
  await store.settle(60_000);
  const adding = add("a");
  await store.settle(10);
  expect(await Promise.race([adding, "still under way"])).toBe("still under way");
  const settled = store.settle(60_000);
  held.resolve();
  await settled;
  expect(await Promise.race([look(), "still under way"])).toEqual(["a"]);
});

it("read ahead, it is not read again when it is needed; a reading that fails is made up for", async () => {
  const { store, calls, look } = start();
  readAhead(store);
  await new Promise(setImmediate);
  expect(calls).toEqual(["get"]);
  expect(await look()).toEqual([]);
  expect(calls).toEqual(["get"]);

  let reads = 0;
  const failing = createRecordStore({
    getLease: async () => {
      reads += 1;
      if (reads > 1) return { metadata: { name: "sync-trigger" } };
      throw new ApiError({
        call: "getLease",
        status: 403,
        reason: "Forbidden",
        message: "",
        mayHaveTakenEffect: false,
      });
    },
    updateLease: async (next) => next,
  });
  readAhead(failing);
  await new Promise(setImmediate);
  expect(await failing.commit(() => ({ result: "read" }), signal())).toBe("read");
});
