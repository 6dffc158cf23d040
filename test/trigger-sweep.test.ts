import { describe, expect, it } from "vitest";
import type { Entry } from "../functions/core/record.ts";
import { fails, notFound } from "./support/fake-cluster.ts";
import { cronJob, memoryRecords, name, prepareTrigger as prepare, store } from "./support/prepare-trigger.ts";
import { entry, other, running, window } from "./support/record-entries.ts";

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

  it("up to four are looked at where they fill half of the record", async () => {
    const records = memoryRecords(["ma", "mb", "mc", "md", "me", "mf"].map(old));
    const script = { getCronJob: [cronJob()], getJob: [notFound], createJob: [store] };
    const { run, names } = prepare({ script, config: window, records });
    expect(await run()).toMatchObject({ outcome: "created" });
    expect(names().filter((call) => call === "getJob")).toHaveLength(4);
    expect([records.entries.length, records.writes]).toEqual([3, 2]);
  });
});
