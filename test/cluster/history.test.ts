import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import type { JobSeen } from "../history/history.ts";
import { type RunOptions, runHistory } from "../history/run-history.ts";
import { writeRecord } from "../support/lease.ts";
import { openTarget, type Target } from "../support/target.ts";

// The short run; the long one is a command: npm run test:history.

let target: Target;
let hasFailed = false;

beforeAll(async () => {
  target = await openTarget("history");
});

afterAll(async () => {
  await target?.close({ keep: hasFailed });
});

const short: Omit<RunOptions, "policy" | "jobs"> = {
  ...{ seed: 6, triggers: 100, keys: 30, spanMs: 20_000, isRemembered: true, apiRestarts: 0 },
  ...{ troubleEveryMs: 4_000, longestFreezeMs: 3_000, faultShare: 0.1, removedShare: 0.4 },
  ...{ ownPolicyShare: 0.2, reusedShare: 0.06, apiTimeoutMs: 1_500, triggerTimeoutMs: 5_000 },
};

const calm = {
  ...short,
  faultShare: 0,
  removedShare: 0,
  ownPolicyShare: 0,
  reusedShare: 0,
  troubleEveryMs: 60_000,
  spanMs: 5_000,
  triggers: 30,
  keys: 5,
};

describe("while processes die and freeze and the API server's answers are spoiled", () => {
  test.concurrent.each([
    ["allow", "idle", ["200 joined", "409 refused"]],
    ["forbid", "written", ["409 refused"]],
    ["join", "written", ["200 joined"]],
  ] as const)("every promise is kept under %s", { timeout: 300_000 }, async (policy, jobs, answers) => {
    keepOnFailure();
    const file = `reports/history/short-${policy}.jsonl`;
    const { violations, counts } = await runHistory(target, { ...short, policy, jobs, file });
    console.log(policy, counts);
    expect(violations).toEqual([]);
    expect(counts.deliveries).toBe(short.triggers + short.keys);
    expect(counts.requests).toBeGreaterThan(short.triggers + short.keys);
    // A run in which nothing went wrong, or nothing could be judged, would prove nothing.
    const harm = ["process killed", "process frozen", "removed"];
    const judged = ["versions of the record", "200 created", "200 duplicate", "422 key-reused", ...answers];
    expect([...harm, ...judged].filter((name) => !counts[name])).toEqual([]);
    expect(counts["requests in the calm"]).toBeGreaterThanOrEqual(short.keys);
  });
});

describe("the checker finds in a real run", () => {
  test("a second Job for a key, which also overlaps the first", async () => {
    const sabotage = async ({ change, name }: JobSeen, namespace: string) => {
      if (change !== "added" || name.endsWith("-copy")) return;
      const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
      const { metadata, spec } = await target.api.expect("GET", `${path}/${name}`);
      const { annotations, ownerReferences } = metadata as Record<string, object>;
      const { suspend, managedBy, template } = spec as Record<string, Record<string, unknown>>;
      const copy = { name: `${name}-copy`, annotations, ownerReferences };
      const pod = { spec: template?.spec };
      await target.api.expect("POST", path, { metadata: copy, spec: { suspend, managedBy, template: pod } });
    };
    const { violations } = await runHistory(target, { ...calm, seed: 1, policy: "forbid", jobs: "written", sabotage });
    expect(new Set(violations.map(({ rule }) => rule))).toEqual(new Set(["doubled", "overlap"]));
  });

  test("a record that somebody emptied, and a Job that was removed", async () => {
    const sabotage = async ({ change }: JobSeen, namespace: string) => {
      if (change === "deleted") await writeRecord(target.api, namespace, []);
    };
    const removing = { ...calm, seed: 2, removedShare: 1 };
    const { violations } = await runHistory(target, { ...removing, policy: "allow", jobs: "idle", sabotage });
    expect(new Set(violations.map(({ rule }) => rule))).toEqual(new Set(["doubled", "forgotten"]));
  });
});

function keepOnFailure(): void {
  onTestFailed(() => {
    hasFailed = true;
  });
}
