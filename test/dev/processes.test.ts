import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startEmbeddedCluster } from "../../dev/embedded-cluster.ts";
import { at } from "./calls/step.ts";
import { endedAs, jobOf, jobsPath, logOf, openCluster, podsOf, podsPath, shellCronJob } from "./cluster.ts";

// Long enough for a machine that does other things too.

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function newDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "processes-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function waitUntil(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = Date.now() + 50_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAtMs) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const pidIn = async (file: string) => Number(await readFile(file, "utf8").catch(() => ""));

// In a command of Kubernetes, $$ is a dollar and $$$$ the shell's own pid.

test("a process sees PATH, HOME and its container's variables, and nothing of ours", async () => {
  process.env.SECRET_OF_OURS = "x";
  onTestFinished(() => {
    delete process.env.SECRET_OF_OURS;
  });
  const cluster = await openCluster();
  const env = [
    { name: "FIRST", value: "1" },
    { name: "SECOND", value: "$(FIRST)2 $(MISSING) $$(FIRST)" },
  ];
  await cluster.run("env", "env | sort", { env });
  const lines = (await logOf(cluster, "env")).trimEnd().split("\n");
  // The shell adds these two itself.
  const names = lines.map((line) => line.split("=")[0]).filter((name) => name !== "PWD" && name !== "_");
  expect(names.filter((name) => name !== "SHLVL" && name !== "OLDPWD")).toEqual(["FIRST", "HOME", "PATH", "SECOND"]);
  expect(lines).toContain("SECOND=12 $(MISSING) $(FIRST)");
});

test("a process runs in the directory of its image, with the Node that runs us", async () => {
  const directory = await newDirectory();
  const cluster = await openCluster({ images: { "dev.local/shell:1": directory } });
  await cluster.run("where", "pwd; node --version");
  expect(await logOf(cluster, "where")).toBe(`${directory}\n${process.version}\n`);
});

test.each([
  ["a line without an end", "printf 'a\\nb'", "a\nb\n"],
  ["both streams", "echo out; echo err >&2", "out\nerr\n"],
  ["nothing", "true", ""],
  ["empty lines", "echo; echo", "\n\n"],
  [
    "a line longer than a runtime keeps whole",
    "head -c 50000 /dev/zero | tr '\\0' x; echo; echo end",
    `${"x".repeat(50_000)}\nend\n`,
  ],
  ["bytes that are no text", "printf '\\377\\n'", "\ufffd\n"],
])("a log keeps %s", async (_what, script, log) => {
  const cluster = await openCluster();
  await cluster.run("speaks", script);
  const lines = (text: string) => text.split("\n").sort();
  expect(lines(await logOf(cluster, "speaks"))).toEqual(lines(log));
});

test("a log is cut and stamped where the query says so, even in the middle of a long line", async () => {
  const cluster = await openCluster();
  await cluster.run("long", "head -c 40000 /dev/zero | tr '\\0' x; echo; echo end");
  expect(await logOf(cluster, "long", "limitBytes=30000")).toBe("x".repeat(30_000));
  const stamped = (await logOf(cluster, "long", "timestamps=true")).trimEnd().split("\n");
  expect(stamped).toEqual([
    expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z x{40000}$/),
    expect.stringMatching(/^\S+Z end$/),
  ]);
});

test("no two lines of a log have the same time", async () => {
  const cluster = await openCluster();
  await cluster.run("many", "seq 2000");
  const lines = (await logOf(cluster, "many", "timestamps=true")).trimEnd().split("\n");
  const times = lines.map((line) => line.split(" ")[0] ?? "");
  expect(lines.map((line) => Number(line.split(" ")[1]))).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
  expect([...new Set(times)].sort()).toEqual(times);
});

test.each([
  ["its exit code", "exit 7", 7],
  ["a signal that ended it", "kill -KILL $$$$", 137],
])("a failed process shows %s", async (_what, script, exitCode) => {
  const cluster = await openCluster();
  await cluster.run("fails", script);
  await cluster.until(`${jobsPath}/fails`, endedAs("Failed"));
  const { body } = await cluster.call("GET", podsOf("fails"));
  expect(at(body, "items.0.status.containerStatuses.0.state.terminated")).toMatchObject({ exitCode, reason: "Error" });
});

test("what a process started ends with it", async () => {
  const directory = await newDirectory();
  const cluster = await openCluster({ images: { "dev.local/shell:1": directory } });
  await cluster.run("leaves", "sleep 300 & echo $! > pid");
  await cluster.until(`${jobsPath}/leaves`, endedAs("Complete"));
  const pid = await pidIn(join(directory, "pid"));
  await waitUntil("the end of the grandchild", () => !isAlive(pid));
});

test("deleting a Job in the background ends its processes, by force where they do not listen", async () => {
  const directory = await newDirectory();
  const cluster = await openCluster({ images: { "dev.local/shell:1": directory } });
  const script = "trap '' TERM; sleep 300 & echo $! > child; echo $$$$ > pid; wait; wait";
  await cluster.run("deaf", script, { pod: { terminationGracePeriodSeconds: 1 } });
  await waitUntil("a pid", async () => (await pidIn(join(directory, "pid"))) > 0);
  const pids = [await pidIn(join(directory, "pid")), await pidIn(join(directory, "child"))];
  expect(pids.map(isAlive)).toEqual([true, true]);
  await cluster.call("DELETE", `${jobsPath}/deaf`, { propagationPolicy: "Background" });
  await cluster.until(podsOf("deaf"), (body) => (body.items as unknown[]).length === 0);
  await waitUntil("the end of both", () => !pids.some(isAlive));
});

test("a Job that is deleted without a policy leaves its pod running, as a real one does", async () => {
  const directory = await newDirectory();
  const cluster = await openCluster({ images: { "dev.local/shell:1": directory } });
  await cluster.run("orphaned", "echo $$$$ > pid; exec sleep 300");
  await waitUntil("a pid", async () => (await pidIn(join(directory, "pid"))) > 0);
  await cluster.call("DELETE", `${jobsPath}/orphaned`);
  await cluster.until(`${jobsPath}/orphaned`, (_body, status) => status === 404);
  const { body } = await cluster.call("GET", podsOf("orphaned"));
  expect(at(body, "items.0.status.phase")).toBe("Running");
  expect(at(body, "items.0.metadata.ownerReferences")).toBeUndefined();
  expect(isAlive(await pidIn(join(directory, "pid")))).toBe(true);
});

test("deleting a pod counts as a failure of its Job, and the Job tries again", async () => {
  const cluster = await openCluster();
  await cluster.run("again", "exec sleep 300", { job: { backoffLimit: 1 }, pod: { terminationGracePeriodSeconds: 1 } });
  const first = await cluster.until(podsOf("again"), (body) => at(body, "items.0.status.phase") === "Running");
  const name = String(at(first, "items.0.metadata.name"));
  await cluster.call("DELETE", `${podsPath}/${name}`);
  const isAnother = (body: object) =>
    at(body, "items.0.status.phase") === "Running" && at(body, "items.0.metadata.name") !== name;
  await cluster.until(podsOf("again"), isAnother);
  await cluster.until(
    `${jobsPath}/again`,
    (body) => at(body, "status.failed") === 1 && at(body, "status.active") === 1,
  );
});

test("closing ends every process and removes the logs", async () => {
  const directory = await newDirectory();
  const cluster = await startEmbeddedCluster({ images: { "dev.local/shell:1": directory } });
  const seeded = await cluster.seedCronJob(
    shellCronJob("last", "trap '' TERM; echo $$$$ > pid; sleep 300 & wait; wait"),
  );
  await fetch(cluster.url + jobsPath, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(jobOf(seeded, "last")),
  });
  await waitUntil("a pid", async () => (await pidIn(join(directory, "pid"))) > 0);
  const pid = await pidIn(join(directory, "pid"));
  await cluster.close();
  expect(isAlive(pid)).toBe(false);
  await expect(fetch(cluster.url)).rejects.toThrow();
});
