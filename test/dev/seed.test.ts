import { describe, expect, test } from "vitest";
import { at, withValue } from "./calls/step.ts";
import { cronJobsPath, endedAs, jobOf, jobsPath, logOf, openCluster, podsOf, shellCronJob } from "./cluster.ts";

// Long enough for a machine that does other things too.

const pod = "spec.jobTemplate.spec.template.spec";
const container = { name: "main", image: "i", command: ["true"] };

describe("seeding a CronJob", () => {
  test("makes its namespace, fills in defaults and answers what it stored", async () => {
    const cluster = await openCluster();
    const stored = await cluster.seedCronJob(shellCronJob("a", "true"));
    expect(stored).toMatchObject({ metadata: { namespace: "n", generation: 1 }, spec: { concurrencyPolicy: "Allow" } });
    expect(await cluster.call("GET", "/api/v1/namespaces/n")).toMatchObject({ status: 200 });
    expect((await cluster.call("GET", `${cronJobsPath}/a`)).body).toEqual(stored);
  });

  test("a second time replaces it", async () => {
    const cluster = await openCluster();
    const first = await cluster.seedCronJob(shellCronJob("a", "echo first"));
    const second = await cluster.seedCronJob(shellCronJob("a", "echo second"));
    expect(second).toMatchObject({ metadata: { uid: at(first, "metadata.uid"), generation: 2 } });
    await cluster.call("POST", jobsPath, jobOf(second, "run"));
    expect(await logOf(cluster, "run")).toBe("second\n");
  });

  test.each([
    ["parallelism", "spec.jobTemplate.spec.parallelism", { job: { parallelism: 2 } }],
    ["completions", "spec.jobTemplate.spec.completions", { job: { completions: 3 } }],
    [
      "indexed completion",
      "spec.jobTemplate.spec.completionMode",
      { job: { completionMode: "Indexed", completions: 1 } },
    ],
    ["a pod failure policy", "spec.jobTemplate.spec.podFailurePolicy", { job: { podFailurePolicy: { rules: [] } } }],
    ["two containers", `${pod}.containers`, { pod: { containers: [container, { ...container, name: "b" }] } }],
    ["an init container", `${pod}.initContainers`, { pod: { initContainers: [{ ...container, name: "init" }] } }],
    ["volumes", `${pod}.volumes`, { pod: { volumes: [{ name: "v", emptyDir: {} }] } }],
    ["restarts in place", `${pod}.restartPolicy`, { pod: { restartPolicy: "OnFailure" } }],
    ["no command", `${pod}.containers[0].command`, { pod: { containers: [{ name: "main", image: "i" }] } }],
    ["a probe", `${pod}.containers[0].livenessProbe`, { pod: { containers: [{ ...container, livenessProbe: {} }] } }],
    [
      "a variable from elsewhere",
      `${pod}.containers[0].env[0].valueFrom`,
      {
        pod: {
          containers: [{ ...container, env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }],
        },
      },
    ],
  ])("refuses %s, which no local process would be true to", async (_what, field, options) => {
    const cluster = await openCluster();
    await expect(cluster.seedCronJob(shellCronJob("a", "true", options))).rejects.toThrow(`${field} `);
    expect(await cluster.call("GET", `${cronJobsPath}/a`)).toMatchObject({ status: 404 });
  });

  test.each([
    ["an unknown field", { cronJob: { magic: 1 } }, 'unknown field "spec.magic"'],
    ["a wrong schedule", { cronJob: { schedule: "often" } }, "expected exactly 5 fields"],
  ])("refuses %s as a real server does", async (_what, options, message) => {
    const cluster = await openCluster();
    await expect(cluster.seedCronJob(shellCronJob("a", "true", options))).rejects.toThrow(message);
  });
});

describe("what came over HTTP is stored and never run:", () => {
  const marker = shellCronJob("seeded", "echo ran");

  test("a Job without an owner", async () => {
    const cluster = await openCluster();
    const seeded = await cluster.seedCronJob(marker);
    const job = withValue(jobOf(seeded, "orphan") as never, "metadata.ownerReferences", undefined);
    await cluster.call("POST", jobsPath, job);
    await expectNotRun(cluster, "orphan");
  });

  test("a Job of a CronJob that was posted", async () => {
    const cluster = await openCluster();
    await cluster.seedCronJob(marker);
    const posted = await cluster.call("POST", cronJobsPath, shellCronJob("posted", "echo ran"));
    await cluster.call("POST", jobsPath, jobOf(posted.body, "posted"));
    await expectNotRun(cluster, "posted");
  });

  test.each([
    ["another command", "command", ["/bin/sh", "-c", "echo other"]],
    ["more arguments", "args", ["more"]],
    ["another environment", "env", [{ name: "A", value: "b" }]],
    ["another image", "image", "other:1"],
  ])("a Job of a seeded CronJob with %s", async (_what, field, value) => {
    const cluster = await openCluster();
    const seeded = await cluster.seedCronJob(marker);
    const job = withValue(jobOf(seeded, "altered") as never, `spec.template.spec.containers.0.${field}`, value);
    expect(await cluster.call("POST", jobsPath, job)).toMatchObject({ status: 201 });
    await expectNotRun(cluster, "altered");
  });

  test("a seeded CronJob that was changed afterwards", async () => {
    const cluster = await openCluster();
    const seeded = await cluster.seedCronJob(marker);
    const changed = withValue(seeded, `${pod}.containers.0.command`, ["/bin/sh", "-c", "echo changed"]);
    const { status, body } = await cluster.call("PUT", `${cronJobsPath}/seeded`, changed);
    expect(status).toBe(200);
    await cluster.call("POST", jobsPath, jobOf(body, "changed"));
    await expectNotRun(cluster, "changed");
  });

  /** By the time a Job that came later has run to its end, this one would have begun. */
  async function expectNotRun(cluster: Awaited<ReturnType<typeof openCluster>>, name: string): Promise<void> {
    await cluster.run("proof", "echo proof");
    await cluster.until(`${jobsPath}/proof`, endedAs("Complete"));
    expect(await cluster.call("GET", podsOf(name))).toMatchObject({ body: { items: [] } });
    expect(await cluster.call("GET", `${jobsPath}/${name}`)).toMatchObject({ status: 200, body: { status: {} } });
  }
});
