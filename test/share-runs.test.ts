import { expect, it } from "vitest";
import { shareRuns } from "../functions/share-runs.ts";

/** Work that ends when told to, and a record of it. */
function createWork() {
  const runs: { key: string; signal: AbortSignal; end(result: string): void; fail(error: Error): void }[] = [];
  const ask = shareRuns<string>((key, signal) => new Promise((end, fail) => runs.push({ key, signal, end, fail })));
  return { runs, ask };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const signal = new AbortController().signal;

it("those who ask in the same turn share one run", async () => {
  const { runs, ask } = createWork();
  const answers = [ask("a", signal), ask("a", signal), ask("b", signal)];
  await turn();
  expect(runs.map(({ key }) => key)).toEqual(["a", "b"]);
  for (const run of runs) run.end(`of ${run.key}`);
  expect(await Promise.all(answers)).toEqual(["of a", "of a", "of b"]);
});

it("who asks while a run is under way gets the next one, never an answer older than the question", async () => {
  const { runs, ask } = createWork();
  const first = ask("a", signal);
  await turn();
  const later = [ask("a", signal), ask("a", signal)];
  await turn();
  expect(runs).toHaveLength(1);
  runs[0]?.end("old");
  expect(await first).toBe("old");
  await turn();
  expect(runs).toHaveLength(2);
  runs[1]?.end("new");
  expect(await Promise.all(later)).toEqual(["new", "new"]);
});

it("a run that fails fails for those who share it, and the next one is tried all the same", async () => {
  const { runs, ask } = createWork();
  const first = ask("a", signal);
  await turn();
  const later = ask("a", signal);
  runs[0]?.fail(new Error("no"));
  await expect(first).rejects.toThrow("no");
  await turn();
  runs[1]?.end("yes");
  expect(await later).toBe("yes");
});

it("a run goes on while one is left who waits, and is aborted when the last one leaves", async () => {
  const { runs, ask } = createWork();
  const leavers = [new AbortController(), new AbortController()];
  const answers = leavers.map(({ signal: leaving }) => ask("a", leaving).catch((error: Error) => error.name));
  await turn();
  leavers[0]?.abort();
  expect(await answers[0]).toBe("AbortError");
  expect(runs[0]?.signal.aborted).toBe(false);
  leavers[1]?.abort();
  expect(await answers[1]).toBe("AbortError");
  expect(runs[0]?.signal.aborted).toBe(true);
  const next = ask("a", signal);
  await turn();
  runs[1]?.end("anew");
  expect(await next).toBe("anew");
});

it("who has left already starts nothing", async () => {
  const { runs, ask } = createWork();
  await expect(ask("a", AbortSignal.abort())).rejects.toThrow();
  await turn();
  expect(runs).toEqual([]);
});
