import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import type { Cluster } from "../../functions/kubernetes/cluster.ts";
import { shareCronJobReads } from "../../functions/kubernetes/share-reads.ts";

/** A CronJob whose reads a test answers one by one; `version` counts what was stored when a read began. */
function cronJobReads() {
  const begun: { version: number; end(): void; fail(): void }[] = [];
  const state = { version: 1 };
  const cluster: Pick<Cluster, "getCronJob"> = {
    getCronJob: () =>
      new Promise<JsonObject>((resolve, reject) => {
        const { version } = state;
        begun.push({ version, end: () => resolve({ version }), fail: () => reject(new Error("reset")) });
      }),
  };
  const shared = shareCronJobReads(cluster);
  const read = (signal = new AbortController().signal) => shared.getCronJob({ signal });
  return { begun, state, read };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("reads of the CronJob", () => {
  test("that come while one is under way share the next one", async () => {
    const { begun, read } = cronJobReads();
    const first = read();
    const others = Array.from({ length: 99 }, () => read());
    expect(begun).toHaveLength(1);
    begun[0]?.end();
    await first;
    await settle();
    expect(begun).toHaveLength(2);
    begun[1]?.end();
    await Promise.all(others);
    expect(begun).toHaveLength(2);
  });

  test("never give what was read before they asked", async () => {
    const { begun, state, read } = cronJobReads();
    const before = read();
    state.version = 2;
    const after = read();
    begun[0]?.end();
    await settle();
    begun[1]?.end();
    expect([await before, await after]).toEqual([{ version: 1 }, { version: 2 }]);
  });

  test("go on after one that failed, which fails only those who share it", async () => {
    const { begun, read } = cronJobReads();
    const first = read();
    const second = read();
    begun[0]?.fail();
    await expect(first).rejects.toThrow("reset");
    await settle();
    begun[1]?.end();
    expect(await second).toEqual({ version: 1 });
    const third = read();
    begun[2]?.end();
    expect(await third).toEqual({ version: 1 });
  });

  test("end for the one whose time is over, and go on for the others", async () => {
    const { begun, read } = cronJobReads();
    const leaver = new AbortController();
    const left = read(leaver.signal);
    const first = read();
    leaver.abort();
    await expect(left).rejects.toThrow("no answer within the deadline");
    begun[0]?.end();
    await settle();
    begun[1]?.end();
    expect(await first).toEqual({ version: 1 });
  });
});
