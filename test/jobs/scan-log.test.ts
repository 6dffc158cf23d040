import { Readable } from "node:stream";
import { expect, it } from "vitest";
import type { Job, Pod } from "../../functions/core/workload.ts";
import { createLogScanner } from "../../functions/jobs/scan-log.ts";

const job = { metadata: { name: "j", uid: "j" } } as Job;
const pod = {
  metadata: { name: "p", uid: "p" },
  spec: { containers: [{ name: "sync" }] },
  status: { phase: "Succeeded", containerStatuses: [{ name: "sync", state: { terminated: { exitCode: 0 } } }] },
} as unknown as Pod;

it("finds a step in a line whose stamp is older than the line's before", async () => {
  const lines = [
    "2026-11-25T12:00:00.000002000Z started",
    "2026-11-25T12:00:00.000001000Z trade sync: done",
    "2026-11-25T12:00:00.000003000Z reward sync: done",
  ];
  const readLog = async () => Readable.from([Buffer.from(`${lines.join("\n")}\n`)]);
  const steps = [
    { name: "trades", pattern: "trade sync: done" },
    { name: "rewards", pattern: "reward sync: done" },
  ];
  const scanner = createLogScanner({ readLog } as never, steps);
  expect(await scanner.findSteps({ job, pods: [pod] }, new AbortController().signal)).toMatchObject([
    { name: "trades", state: "seen", at: "2026-11-25T12:00:00.000Z" },
    { name: "rewards", state: "seen" },
  ]);
});

it("looks into the log of the newest start alone, whether or not it looked into those before", async () => {
  const starts = ["2026-11-25T12:00:00.000000001Z trade sync: done", "2026-11-25T12:00:05.000000001Z started"];
  const steps = [{ name: "trades", pattern: "trade sync: done" }];
  const states = [];
  for (const isPolled of [true, false]) {
    let restartCount = 0;
    const readLog = async () => Readable.from([Buffer.from(`${starts[restartCount]}\n`)]);
    const scanner = createLogScanner({ readLog } as never, steps);
    const look = async (state: object, phase: string) => {
      const status = { phase, containerStatuses: [{ name: "sync", state, restartCount }] };
      const found = await scanner.findSteps({ job, pods: [{ ...pod, status } as Pod] }, new AbortController().signal);
      return found?.[0]?.state;
    };
    if (isPolled) states.push(await look({ running: {} }, "Running"));
    restartCount = 1;
    states.push(await look({ terminated: { exitCode: 0 } }, "Succeeded"));
  }
  expect(states).toEqual(["seen", "unknown", "unknown"]);
});
