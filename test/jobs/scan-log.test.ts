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
