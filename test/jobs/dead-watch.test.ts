import { expect, it, vi } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { createJobReader } from "../../functions/jobs/job-reader.ts";

const owner = { apiVersion: "batch/v1", kind: "CronJob", name: "c", uid: "x", controller: true };
const metadata = {
  ...{ name: "j", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: "2026-11-23T21:00:00Z" },
  ownerReferences: [owner],
};
const spec = { template: { spec: { containers: [{ name: "s" }] } } };
const never = new AbortController().signal;

/** A Job whose watches are open and say nothing, as over a connection that went dead. */
function silentCluster() {
  const state = { hasEnded: false, watches: 0 };
  const status = () => (state.hasEnded ? { conditions: [{ type: "Complete", status: "True" }] } : {});
  const cluster = {
    getJob: async (): Promise<JsonObject> => ({ metadata, spec, status: status() }),
    listPods: async () => ({ items: [] }),
    watchJob: async (_name: string, _from: unknown, { signal }: { signal: AbortSignal }) => {
      state.watches += 1;
      return (async function* () {
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      })();
    },
  };
  const context = { cluster, namespace: "n", config: { cronJobName: "c" } };
  return { state, reader: createJobReader(context as never) };
}

it("who waits on a watch that went dead is told what anybody else sees", async () => {
  const { state, reader } = silentCluster();
  const waits = reader.waitAndLook("j", AbortSignal.timeout(20_000), never);
  await vi.waitFor(() => expect(state.watches).toBe(1), 50_000);
  state.hasEnded = true;
  expect((await reader.look("j", never)).state).toBe("succeeded");
  const inTime = AbortSignal.timeout(5_000);
  const [first, later] = await Promise.all([waits, reader.waitAndLook("j", AbortSignal.timeout(20_000), never)]);
  expect([first.state, later.state, inTime.aborted]).toEqual(["succeeded", "succeeded", false]);
});

it("a watch that went dead is given up some seconds after the API server should have ended it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException("over", "TimeoutError")), ms);
    return controller.signal;
  });
  try {
    const { state, reader } = silentCluster();
    const enough = new AbortController();
    const waits = reader.waitAndLook("j", enough.signal, never);
    while (state.watches === 0) await new Promise(setImmediate);
    vi.advanceTimersByTime(34_000);
    await new Promise(setImmediate);
    expect(state.watches).toBe(1);
    state.hasEnded = true;
    vi.advanceTimersByTime(2_000);
    expect((await waits).state).toBe("succeeded");
  } finally {
    timeout.mockRestore();
    vi.useRealTimers();
  }
});
