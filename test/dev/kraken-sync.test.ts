import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { at } from "./calls/step.ts";

// Long enough for a machine that does other things too.

const directory = new URL("../../examples/kraken-sync/", import.meta.url);
const textOf = (name: string) => readFile(new URL(name, directory), "utf8");

interface Run {
  stdout: string;
  stderr: string;
  code: number | null;
}

/** Runs the program; `onOutput` may do something to it when it has said something. */
async function run(env: Record<string, string>, onOutput?: (kill: () => void) => void): Promise<Run> {
  const child = spawn(process.execPath, ["sync.mjs"], { cwd: directory, env: { PATH: process.env.PATH, ...env } });
  const result: Run = { stdout: "", stderr: "", code: null };
  child.stderr.on("data", (chunk) => {
    result.stderr += chunk;
  });
  child.stdout.on("data", (chunk) => {
    result.stdout += chunk;
    onOutput?.(() => child.kill("SIGTERM"));
  });
  [result.code] = (await once(child, "close")) as [number | null];
  return result;
}

test("syncs trades, then rewards, and says what it wrote", async () => {
  const { stdout, stderr, code } = await run({ SYNC_SECONDS: "0" });
  expect(stdout.trimEnd().split("\n")).toEqual([
    "kraken-sync: a stand-in for the real sync job; it talks to no exchange and no database",
    "trade sync: started",
    "trade sync: page 1 of 3, 50 trades so far",
    "trade sync: page 2 of 3, 100 trades so far",
    "trade sync: page 3 of 3, 117 trades so far",
    "trade sync: 117 trades written in 3 pages",
    "reward sync: started",
    "reward sync: page 1 of 2, 20 rewards so far",
    "reward sync: page 2 of 2, 28 rewards so far",
    "reward sync: 28 rewards written in 2 pages",
    "kraken-sync: done",
  ]);
  expect([stderr, code]).toEqual(["", 0]);
});

test.each([
  [
    "trades",
    3,
    "trade sync: failed on page 3 of 3: told to by SYNC_FAIL=trades\n",
    "trade sync: page 2 of 3, 100 trades so far\n",
  ],
  [
    "rewards",
    3,
    "reward sync: failed on page 2 of 2: told to by SYNC_FAIL=rewards\n",
    "reward sync: page 1 of 2, 20 rewards so far\n",
  ],
  ["taxes", 2, 'SYNC_FAIL is "taxes"; it can be "trades" or "rewards"\n', ""],
])("with SYNC_FAIL=%s it ends with %i", async (fail, exitCode, reason, lastLine) => {
  const { stdout, stderr, code } = await run({ SYNC_SECONDS: "0", SYNC_FAIL: fail });
  expect([code, stderr]).toEqual([exitCode, reason]);
  expect(stdout.endsWith(lastLine)).toBe(true);
});

test.each(["soon", "-1", " ", "Infinity"])("refuses SYNC_SECONDS=%j", async (seconds) => {
  const { stderr, code } = await run({ SYNC_SECONDS: seconds });
  expect(stderr).toBe(`SYNC_SECONDS is ${JSON.stringify(seconds)}; it must be a number of seconds, 0 or more\n`);
  expect(code).toBe(2);
});

test("stops at once on SIGTERM and says so", async () => {
  const { stdout, code } = await run({ SYNC_SECONDS: "300" }, (kill) => kill());
  expect(stdout).toMatch(/SIGTERM: stopping before the sync is complete\n$/);
  expect(code).toBe(143);
});

test("the manifest, the image and the README agree", async () => {
  const cronJob = parse(await textOf("cronjob.yaml")) as object;
  const pod = at(cronJob, "spec.jobTemplate.spec.template.spec");
  const container = at(pod, "containers.0") as { command: string[]; workingDir: string; image: string };
  const dockerfile = await textOf("Dockerfile");
  expect(dockerfile).toContain(`WORKDIR ${container.workingDir}\n`);
  expect(dockerfile).toContain(`CMD ${JSON.stringify(container.command).replaceAll(",", ", ")}\n`);
  expect(dockerfile).toContain(`USER ${at(pod, "securityContext.runAsUser")}:`);
  const readme = await textOf("README.md");
  expect(readme).toContain(container.image);
  const { stdout } = await run({ SYNC_SECONDS: "0" });
  expect(readme).toContain(`$ SYNC_SECONDS=0 node sync.mjs\n${stdout}`);
});

test("the manifest conforms to Pod Security restricted, which its namespace enforces", async () => {
  const pod = at(parse(await textOf("cronjob.yaml")), "spec.jobTemplate.spec.template.spec");
  expect(at(pod, "securityContext")).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
  expect(at(pod, "containers.0.securityContext")).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  const namespace = parse(await textOf("namespace.yaml")) as { metadata: { labels: Record<string, string> } };
  expect(namespace.metadata.labels["pod-security.kubernetes.io/enforce"]).toBe("restricted");
});
