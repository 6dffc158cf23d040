import { describe, expect, test } from "vitest";
import { at, mergePatch } from "./calls/step.ts";
import { cronJobsPath, endedAs, jobOf, jobsPath, openCluster, podsOf, podsPath, type TestCluster } from "./cluster.ts";
import { linesOf } from "./lines.ts";

// Long enough for a machine that does other things too.

const patchType = mergePatch["content-type"];
const names = (body: object) =>
  (at(body, "items") as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
const isEmpty = (body: object) => names(body).length === 0;

async function runAgain(
  cluster: TestCluster,
  cronJob: string,
  name: string,
  how: "Complete" | "Failed",
): Promise<void> {
  const stored = await cluster.call("GET", `${cronJobsPath}/${cronJob}`);
  await cluster.call("POST", jobsPath, jobOf(stored.body, name));
  await cluster.until(`${jobsPath}/${name}`, (body, status) => status === 404 || endedAs(how)(body));
}

describe("the history of a CronJob", () => {
  test.each([
    ["successful", "true", "Complete", { successfulJobsHistoryLimit: 1 }],
    ["failed", "false", "Failed", { failedJobsHistoryLimit: 1 }],
  ] as const)("keeps so many %s Jobs and removes the oldest with their pods", async (_what, script, how, limits) => {
    const cluster = await openCluster();
    // By their names the other one would have to go.
    await cluster.run("older", script, { cronJob: limits });
    const older = await cluster.until(`${jobsPath}/older`, endedAs(how));
    const startedAtMs = Date.parse(String(at(older, "status.startTime")));
    await cluster.until(jobsPath, () => Date.now() >= startedAtMs + 1000);
    await runAgain(cluster, "older", "newer", how);
    await cluster.until(jobsPath, (body) => names(body).join() === "newer");
    await cluster.until(podsPath, (body) => names(body).length === 1);
  });

  test("remembers the last success, and no failure", async () => {
    const cluster = await openCluster();
    await cluster.run("a", "true");
    const job = await cluster.until(`${jobsPath}/a`, endedAs("Complete"));
    const succeeded = await cluster.until(
      `${cronJobsPath}/a`,
      (body) => at(body, "status.lastSuccessfulTime") !== undefined,
    );
    expect(succeeded.status).toEqual({ lastSuccessfulTime: at(job, "status.completionTime") });
    await cluster.run("b", "false");
    await cluster.until(`${jobsPath}/b`, endedAs("Failed"));
    expect((await cluster.call("GET", `${cronJobsPath}/b`)).body.status).toEqual({});
  });
});

describe("a Job", () => {
  test("tries again until its backoffLimit, one pod after the other", async () => {
    const cluster = await openCluster();
    await cluster.run("tries", "exit 1", { job: { backoffLimit: 2 } });
    const job = await cluster.until(`${jobsPath}/tries`, endedAs("Failed"));
    expect(job.status).toMatchObject({ failed: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect(names((await cluster.call("GET", podsOf("tries"))).body)).toHaveLength(3);
  });

  test("waits twice as long after each failure", async () => {
    const podBackoffMs = 200;
    const cluster = await openCluster({ podBackoffMs });
    const watch = await fetch(`${cluster.url}${podsPath}?watch=true`);
    await cluster.run("waits", "exit 1", { job: { backoffLimit: 2 } });
    const addedAtMs: number[] = [];
    for await (const line of linesOf(watch)) {
      if (line.startsWith('{"type":"ADDED"')) addedAtMs.push(performance.now());
      if (addedAtMs.length === 3) break;
    }
    const [first = 0, second = 0, third = 0] = addedAtMs;
    // Timers may fire a moment early.
    expect(second - first).toBeGreaterThan(podBackoffMs - 10);
    expect(third - second).toBeGreaterThan(2 * podBackoffMs - 10);
  });

  test("is removed its time after the end, with its pods", async () => {
    const cluster = await openCluster();
    // Long enough for a busy machine to see the end.
    await cluster.run("brief", "true", { job: { ttlSecondsAfterFinished: 5 } });
    await cluster.until(`${jobsPath}/brief`, endedAs("Complete"));
    await cluster.until(`${jobsPath}/brief`, (_body, status) => status === 404);
    await cluster.until(podsOf("brief"), isEmpty);
  });

  test("that is suspended while it runs loses its pod, and is not said to have failed", async () => {
    const cluster = await openCluster();
    await cluster.run("paused", "exec sleep 300", { pod: { terminationGracePeriodSeconds: 1 } });
    await cluster.until(`${jobsPath}/paused`, (body) => at(body, "status.ready") === 1);
    await cluster.call("PATCH", `${jobsPath}/paused`, { spec: { suspend: true } }, patchType);
    await cluster.until(podsOf("paused"), isEmpty);
    const job = await cluster.until(`${jobsPath}/paused`, (body) => at(body, "status.terminating") === 0);
    expect(at(job, "status.failed")).toBeUndefined();
    expect(at(job, "status.startTime")).toBeUndefined();
    expect(job).toMatchObject({ status: { conditions: [{ type: "Suspended", status: "True" }] } });
  });

  test("of a CronJob that is deleted goes with it", async () => {
    const cluster = await openCluster();
    await cluster.run("owned", "exec sleep 300", { pod: { terminationGracePeriodSeconds: 1 } });
    await cluster.until(podsOf("owned"), (body) => at(body, "items.0.status.phase") === "Running");
    await cluster.call("DELETE", `${cronJobsPath}/owned`);
    await cluster.until(`${jobsPath}/owned`, (_body, status) => status === 404);
    await cluster.until(podsOf("owned"), isEmpty);
  });

  test("of a CronJob that is orphaned stays and belongs to nobody", async () => {
    const cluster = await openCluster();
    await cluster.run("kept", "true");
    await cluster.until(`${jobsPath}/kept`, endedAs("Complete"));
    await cluster.call("DELETE", `${cronJobsPath}/kept?propagationPolicy=Orphan`);
    await cluster.until(`${cronJobsPath}/kept`, (_body, status) => status === 404);
    expect(at((await cluster.call("GET", `${jobsPath}/kept`)).body, "metadata.ownerReferences")).toBeUndefined();
  });

  test("goes with its namespace, and so does what it runs", async () => {
    const cluster = await openCluster();
    await cluster.run("inside", "exec sleep 300", { pod: { terminationGracePeriodSeconds: 1 } });
    await cluster.until(podsOf("inside"), (body) => at(body, "items.0.status.phase") === "Running");
    await cluster.call("DELETE", "/api/v1/namespaces/n");
    await cluster.until("/api/v1/namespaces/n", (_body, status) => status === 404);
    expect(isEmpty((await cluster.call("GET", podsPath)).body)).toBe(true);
  });
});
