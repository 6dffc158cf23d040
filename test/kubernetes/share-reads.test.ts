import { expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { ApiError } from "../../functions/kubernetes/api-error.ts";
import type { Cluster } from "../../functions/kubernetes/cluster.ts";
import { shareReads } from "../../functions/kubernetes/share-reads.ts";

/** Objects whose reads a test answers one by one; `version` counts what was stored when a read began. */
function openReads() {
  const begun: { what: string; signal: AbortSignal; end(): void; fail(error: Error): void }[] = [];
  const state = { version: 1 };
  const begin = (what: string, signal: AbortSignal) =>
    new Promise<JsonObject>((resolve, reject) => {
      const { version } = state;
      begun.push({ what, signal, end: () => resolve({ version }), fail: reject });
    });
  const shared = shareReads({
    getCronJob: ({ signal }) => begin("CronJob", signal),
    getJob: (name, { signal }) => begin(name, signal),
  } satisfies Pick<Cluster, "getCronJob" | "getJob">);
  const read = (signal = new AbortController().signal) => shared.getCronJob({ signal });
  const readJob = (name: string) => shared.getJob(name, { signal: new AbortController().signal });
  return { begun, state, read, readJob };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("triggers that come together share a read, and those who come meanwhile the next one", async () => {
  const { begun, state, read } = openReads();
  const first = Array.from({ length: 50 }, () => read());
  await turn();
  state.version = 2;
  const later = Array.from({ length: 50 }, () => read());
  await turn();
  expect(begun).toHaveLength(1);
  begun[0]?.end();
  await turn();
  begun[1]?.end();
  expect(new Set((await Promise.all(first)).map(({ version }) => version))).toEqual(new Set([1]));
  expect(new Set((await Promise.all(later)).map(({ version }) => version))).toEqual(new Set([2]));
  expect(begun).toHaveLength(2);
});

test("reads of a Job are shared by its name", async () => {
  const { begun, readJob } = openReads();
  const reads = [readJob("a"), readJob("b"), readJob("a")];
  await turn();
  expect(begun.map(({ what }) => what)).toEqual(["a", "b"]);
  for (const { end } of begun) end();
  await Promise.all(reads);
});

test("a read that fails says the same to all who share it", async () => {
  const { begun, read } = openReads();
  const reads = [read(), read()];
  await turn();
  const refused = new ApiError({
    ...{ call: "getCronJob", status: 403, reason: "Forbidden", message: "no", mayHaveTakenEffect: false },
  });
  begun[0]?.fail(refused);
  expect(await Promise.allSettled(reads)).toEqual(Array(2).fill({ status: "rejected", reason: refused }));
});

test("whose time is over gets no answer, as from the API server itself; the read goes on for the others", async () => {
  const { begun, read } = openReads();
  const leaver = new AbortController();
  const reads = [read(leaver.signal), read()];
  await turn();
  leaver.abort(new DOMException("over", "TimeoutError"));
  const error = await reads[0]?.catch((thrown: ApiError) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).failure).toMatchObject({
    ...{ call: "getCronJob", status: 0, mayHaveTakenEffect: false, message: "no answer within the deadline" },
  });
  expect(begun[0]?.signal.aborted).toBe(false);
  begun[0]?.end();
  expect(await reads[1]).toEqual({ version: 1 });
});
