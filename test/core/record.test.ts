import { describe, expect, test } from "vitest";
import {
  type Entry,
  entryId,
  formatRecord,
  isInFlight,
  isRemembered,
  type Look,
  parseRecord,
  type ReserveOptions,
  reserve,
  settle,
  toKnownJob,
} from "../../functions/core/record.ts";

const nowMs = Date.parse("2026-11-23T21:00:00Z");
const hourMs = 3_600_000;
const uid = "8a6e0804-2bd0-4672-b79d-d97027f9071a";

const entry = (slot: string, state: Entry["state"], ageMs = 0): Entry => ({
  slot,
  state,
  atMs: nowMs - ageMs,
  request: "abc123",
  uid: state === "pending" ? "-" : uid,
});

/** The Job that a look at an entry finds. */
const jobOf = ({ slot }: Entry) => ({ name: slot, namespace: "n", uid, createdAt: "2026-11-23T20:00:00Z" });

function decide(record: Entry[], more: Partial<ReserveOptions> = {}, seen: [Entry, Look["state"]][] = []) {
  const looks = new Map(seen.map(([of, state]) => [entryId(of), { state, job: jobOf(of) }]));
  const base = { slot: "own", request: "abc123", maker: "me.1", exclusive: true, nowMs, windowMs: hourMs, maxKeys: 10 };
  return reserve(record, { ...base, looks, ...more });
}

const slotsOf = (result: ReturnType<typeof reserve>) =>
  result.kind === "reserved" ? result.entries.map(({ slot, state }) => `${slot} ${state}`) : result.kind;

describe("the record as text", () => {
  test("comes back as it went out, a readable line for each key", () => {
    const record = [entry("m1", "pending"), entry("m2", "done"), entry("m3", "ended")];
    expect(formatRecord(record).split("\n")[1]).toBe(`m2 D 20261123T210000Z abc123 ${uid}`);
    expect(parseRecord(formatRecord(record))).toEqual(record);
  });

  test("of 3,000 keys fits the 256 KiB that annotations may have, with room for others", () => {
    const record = Array.from({ length: 3_000 }, (_, index) => entry(`m${String(index).padStart(17, "a")}`, "done"));
    expect(Buffer.byteLength(formatRecord(record))).toBeLessThan(250_000);
  });

  test.each(["", "\n", "\n\n"])("%j is an empty record", (text) => {
    expect(parseRecord(text)).toEqual([]);
  });

  test.each([
    "what is this",
    "m1 X 20261123T210000Z abc123 -",
    "m1 D yesterday abc123 -",
    "m1 D 20261123T210000Z abc123",
    "m1 D 20261123T210000Z abc123 - more",
  ])("%j is refused, naming the line", (line) => {
    expect(() => parseRecord(`${formatRecord([entry("m1", "done")])}${line}\n`)).toThrow("line 2");
  });
});

describe("a key of our own", () => {
  test.each(["done", "ended"] as const)("that is %s is known", (state) => {
    expect(decide([entry("own", state)]).kind).toBe("known");
  });

  test.each<[string, Partial<Entry>]>([
    ["its maker gave it up", { uid: "-" }],
    ["its maker is the one who asks again", { uid: "me.1" }],
    ["its maker must be dead", { uid: "them.1", atMs: nowMs - 30_000 }],
  ])("that is pending is taken over when %s", (_what, more) => {
    const pending = { ...entry("own", "pending"), ...more };
    const reserved = { ...entry("own", "pending"), uid: "me.2" };
    const replaced = more.uid === "me.1" ? "ours" : pending;
    const expected = { kind: "reserved", entries: [reserved], sweepable: [], replaced };
    expect(decide([pending], { maker: "me.2" })).toEqual(expected);
  });

  test("that is pending belongs to its maker for 30 s, and is known once its Job is there", () => {
    const pending = { ...entry("own", "pending", 29_000), uid: "them.1" };
    for (const exclusive of [true, false]) {
      expect(decide([pending], { exclusive })).toEqual({ kind: "look", wanted: [pending] });
      expect(decide([pending], { exclusive }, [[pending, "absent"]])).toEqual({ kind: "in-flight", entry: pending });
      const done = { ...entry("own", "done", hourMs), uid };
      for (const state of ["unfinished", "ended"] as const) {
        const known = { kind: "known", entry: done, entries: [done] };
        expect(decide([pending], { exclusive }, [[pending, state]])).toEqual(known);
      }
    }
    const renewed = { ...pending, uid: "them.2" };
    expect(decide([renewed], {}, [[pending, "ended"]]).kind, "what was seen before a renewal").toBe("look");
  });

  test("that is expired starts anew", () => {
    expect(slotsOf(decide([entry("own", "ended", hourMs)]))).toEqual(["own pending"]);
    expect(slotsOf(decide([entry("own", "done", hourMs)]))).toEqual(["own pending"]);
    const replaced = entry("own", "done", hourMs);
    expect(decide([replaced]), "whose Job may still run").toMatchObject({ replaced });
  });

  test("has room even in a full record", () => {
    const record = [entry("a", "ended"), entry("own", "pending")];
    expect(decide(record, { maxKeys: 1 }).kind).toBe("reserved");
  });
});

describe("with exclusive, other keys", () => {
  const done = entry("other", "done");
  const pending = entry("other", "pending");

  test("that may be unfinished are looked at first", () => {
    expect(decide([entry("a", "ended"), done])).toEqual({ kind: "look", wanted: [done] });
    expect(decide([pending])).toEqual({ kind: "look", wanted: [pending] });
  });

  test("that are unfinished stand in the way, the newest is named", () => {
    const newer = entry("newer", "done");
    expect(
      decide([done, newer], {}, [
        [done, "unfinished"],
        [newer, "unfinished"],
      ]),
    ).toEqual({
      kind: "overlap",
      job: jobOf(newer),
    });
    expect(decide([pending], {}, [[pending, "unfinished"]]).kind).toBe("overlap");
  });

  test("that are older than the window stand in the way as long as their Job runs", () => {
    const old = entry("other", "done", 2 * hourMs);
    expect(decide([old]).kind).toBe("look");
    expect(decide([old], {}, [[old, "unfinished"]]).kind).toBe("overlap");
    expect(slotsOf(decide([old], {}, [[old, "ended"]]))).toEqual(["own pending"]);
  });

  test("that are about to be created are in flight for 90 s", () => {
    const old = entry("other", "pending", 89_000);
    expect(decide([old], {}, [[old, "absent"]]).kind).toBe("in-flight");
    const dead = entry("other", "pending", 90_000);
    expect(slotsOf(decide([dead], {}, [[dead, "absent"]]))).toEqual(["own pending"]);
  });

  test("that have ended or are gone are remembered as ended, and never looked at again", () => {
    for (const look of ["ended", "absent"] as const) {
      expect(slotsOf(decide([done], {}, [[done, look]]))).toEqual(["other ended", "own pending"]);
    }
    expect(decide([entry("other", "ended")]).kind).toBe("reserved");
    const found = decide([pending], {}, [[pending, "ended"]]);
    const known = { ...entry("other", "ended", hourMs), uid };
    expect(found.kind === "reserved" && found.entries[0], "with the uid that was seen").toEqual(known);
  });

  test("without a window are forgotten as soon as they have ended", () => {
    expect(slotsOf(decide([done, entry("b", "ended")], { windowMs: 0 }, [[done, "ended"]]))).toEqual(["own pending"]);
  });

  test("that changed since they were looked at are looked at again", () => {
    expect(decide([done], {}, [[pending, "ended"]]).kind).toBe("look");
  });
});

describe("with exclusive, hundreds of keys that were never looked at", () => {
  const many = Array.from({ length: 600 }, (_, index) => entry(`k${index}`, "done"));
  const saw = (from: number, to?: number) => many.slice(from, to).map((of): [Entry, Look["state"]] => [of, "ended"]);
  const endedFrom = (from: number) => many.map((of, index) => (index < from ? of : { ...of, state: "ended" }));

  test("are looked at the newest first, 256 at a time, and what was seen is written down each time", () => {
    expect(decide(many)).toEqual({ kind: "look", wanted: many.slice(344) });
    expect(decide(many, {}, saw(344))).toEqual({
      ...{ kind: "look", wanted: many.slice(88, 344), entries: endedFrom(344) },
    });
    const kept = endedFrom(344) as Entry[];
    expect(decide(kept, {}, saw(88)), "looks of before count on").toEqual({
      ...{ kind: "look", wanted: many.slice(0, 88), entries: endedFrom(88) },
    });
    expect(decide(kept), "as does what another request wrote").toEqual({ kind: "look", wanted: many.slice(88, 344) });
    const reserved = { ...entry("own", "pending"), uid: "me.1" };
    const entries = [...endedFrom(0), reserved];
    const expected = { kind: "reserved", entries, sweepable: [], replaced: undefined };
    expect(decide(many, { maxKeys: 601 }, saw(0))).toEqual(expected);
  });

  test("are not all looked at when one is unfinished, and what was seen of the others is written down", () => {
    const running = many[400] as Entry;
    const seen: [Entry, Look["state"]][] = [...saw(401), [running, "unfinished"]];
    expect(decide(many, {}, seen)).toEqual({ kind: "overlap", job: jobOf(running), entries: endedFrom(401) });
    expect(decide(many, {}, [[running, "unfinished"]])).toEqual({ kind: "overlap", job: jobOf(running) });
  });

  test("keep the place of a key of our own that starts anew", () => {
    const own = entry("own", "pending", hourMs);
    const result = decide([own, ...many], {}, saw(344));
    expect(result).toMatchObject({ kind: "look", entries: [own, ...endedFrom(344)] });
  });
});

describe("without exclusive", () => {
  test("nobody stands in the way, nobody is looked at, and the expired keys that could be swept are told", () => {
    const old = entry("old", "done", 2 * hourMs);
    const lost = { ...entry("lost", "pending", 2 * hourMs), uid: "dead.1" };
    const record = [old, lost, entry("a", "done"), entry("b", "pending"), entry("c", "ended", 2 * hourMs)];
    const result = decide(record, { exclusive: false });
    expect(slotsOf(result)).toEqual(["old done", "lost pending", "a done", "b pending", "own pending"]);
    expect(result).toMatchObject({ sweepable: [old, lost] });
  });

  test("a reservation that may still be on its way is not swept, however short the window", () => {
    const pending = { ...entry("p", "pending", 89_000), uid: "them.1" };
    expect(decide([pending], { exclusive: false, windowMs: 1_000 })).toMatchObject({ sweepable: [] });
  });
});

describe("a full record", () => {
  test("tells when the oldest key expires", () => {
    const record = [entry("a", "ended", 600_000), entry("b", "ended")];
    expect(decide(record, { maxKeys: 2 })).toEqual({ kind: "full", freeAtMs: nowMs + hourMs - 600_000 });
  });

  test("keeps the place of an expired key whose Job still runs: another key must not run beside it unseen", () => {
    const old = entry("a", "done", 2 * hourMs);
    const record = [old, entry("b", "ended", 600_000)];
    const options = { maxKeys: 2, exclusive: false };
    expect(decide(record, options, [[old, "unfinished"]])).toEqual({ kind: "full", freeAtMs: nowMs + 60_000 });
    expect(slotsOf(decide(record, options, [[old, "ended"]]))).toEqual(["b ended", "own pending"]);
  });

  test("looks at more expired keys until one has ended", () => {
    const record = Array.from({ length: 40 }, (_, index) => entry(`o${index}`, "done", 2 * hourMs));
    const options = { maxKeys: 40, exclusive: false };
    const unfinished = (count: number) =>
      record.slice(0, count).map((of): [Entry, Look["state"]] => [of, "unfinished"]);
    expect(decide(record, options, unfinished(4))).toEqual({ kind: "look", wanted: record.slice(4, 20) });
    expect(decide(record, options, unfinished(40))).toEqual({ kind: "full", freeAtMs: nowMs + 60_000 });
    const [ended] = record.slice(30);
    const looks: [Entry, Look["state"]][] = [...unfinished(20), [ended as Entry, "ended"]];
    expect(slotsOf(decide(record, options, looks))).toContain("own pending");
    expect(slotsOf(decide(record, options, looks))).not.toContain("o30 done");
  });

  test("has room again when it has expired", () => {
    const record = [entry("a", "ended", hourMs), entry("b", "ended")];
    expect(slotsOf(decide(record, { maxKeys: 2 }))).toEqual(["b ended", "own pending"]);
  });
});

describe("after the create", () => {
  const job = { name: "j", namespace: "n", uid, createdAt: "2026-11-23T21:00:05Z" };
  const own = { slot: "own", request: "abc123" };

  test("a key is done, with its Job's uid and time", () => {
    const record = settle([entry("a", "done"), entry("own", "pending")], own, job, nowMs);
    expect(record.map(({ slot, state }) => `${slot} ${state}`)).toEqual(["a done", "own done"]);
    expect(toKnownJob(record[1] as Entry, "j", "n")).toEqual(job);
  });

  test("a Job that was there and is gone is remembered without uid and time", () => {
    const [settled] = settle([], own, { ...job, uid: null, createdAt: null }, nowMs);
    expect(settled?.state).toBe("ended");
    expect(toKnownJob(settled as Entry, "j", "n")).toEqual({ ...job, uid: null, createdAt: null });
  });
});

test.each([
  ["pending", 0, hourMs, false],
  ["done", 0, hourMs, true],
  ["ended", hourMs - 1, hourMs, true],
  ["ended", hourMs, hourMs, false],
  ["done", 0, 0, false],
  ["ended", 0, 0, false],
  ["done", -2_000, 0, false],
  ["done", -2_000, hourMs, true],
] as const)(
  "a key that is %s, %i ms old, with a window of %i ms: remembered is %s",
  (state, ageMs, windowMs, expected) => {
    expect(isRemembered(entry("own", state, ageMs), nowMs, windowMs)).toBe(expected);
  },
);

test.each([
  ["pending, of another", "pending", "them.1", 29_000, true],
  ["pending, of another, given up without a clear answer", "pending", "-", 29_000, true],
  ["pending, of a maker that must be dead", "pending", "them.1", 30_000, false],
  ["pending, of the one who asks", "pending", "me.1", 0, false],
  ["done", "done", uid, 0, false],
] as const)("a key that is %s: %s %s, %i ms old: in flight is %s", (_what, state, of, ageMs, expected) => {
  expect(isInFlight({ ...entry("own", state, ageMs), uid: of }, { maker: "me", nowMs })).toBe(expected);
});
