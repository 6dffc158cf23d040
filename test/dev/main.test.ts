import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { TriggerAnswer } from "../support/answers.ts";
import { readShellBlocks } from "../support/shell-blocks.ts";

const timeoutMs = 60_000;
const shell = (line: string) => promisify(execFile)("/bin/sh", ["-c", line], { timeout: 50_000 });

interface Dev {
  child: ChildProcess;
  /** Everything said so far, on both streams. */
  output(): string;
  curlLines: string[];
  ended: Promise<number | null>;
  temporary: string;
}

function spawnDev(temporary: string, args: string[] = []): Omit<Dev, "curlLines"> {
  const child = spawn(process.execPath, ["dev/main.ts", ...args], { env: { ...process.env, TMPDIR: temporary } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const ended = once(child, "close").then(([code]) => code as number | null);
  // By force it would leave the function behind.
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return { child, output: () => output, ended, temporary };
}

async function newTemporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dev-main-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts it as `npm run dev` does and waits for its three lines. */
async function startDev(args?: string[]): Promise<Dev> {
  const dev = spawnDev(await newTemporary(), args);
  const giveUpAtMs = Date.now() + 50_000;
  for (;;) {
    const curlLines = dev
      .output()
      .split("\n")
      .filter((line) => line.startsWith("curl "));
    if (curlLines.length >= 3) return { ...dev, curlLines };
    if (Date.now() > giveUpAtMs || dev.child.exitCode !== null) throw new Error(dev.output());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function fakeFunction(source: string): Promise<string> {
  const path = join(await newTemporary(), "function.mjs");
  await writeFile(path, source);
  return path;
}

test("the three printed lines trigger a Job, by request and by event, and show its log", {
  timeout: timeoutMs,
}, async () => {
  const dev = await startDev();
  const [plain = "", event = "", log = "", ...more] = dev.curlLines;
  expect(more).toEqual([]);
  const answer = JSON.parse((await shell(plain)).stdout) as { outcome: string; job: { name: string } };
  expect(answer).toMatchObject({ outcome: "created", job: { namespace: "kraken" } });
  expect((await shell(event)).stdout).toMatch(/^HTTP\/1\.1 202 /);
  const { stdout } = await shell(log);
  expect(stdout).toContain("trade sync: 117 trades written in 3 pages\n");
  expect(stdout).toContain("reward sync: 28 rewards written in 2 pages\n");
  expect(stdout).toMatch(/kraken-sync: done\n$/);
  const url = /http:\S+(?=\/trigger-sync)/.exec(plain)?.[0];
  const run = (await (await fetch(`${url}/jobs/latest`)).json()) as { steps: { name: string; state: string }[] };
  expect(run.steps).toMatchObject(["trades", "rewards"].map((name) => ({ name, state: "seen" })));
  dev.child.kill("SIGINT");
  expect(await dev.ended).toBe(0);
  expect(await readdir(dev.temporary)).toEqual([]);
  expect(dev.output()).toContain(`outcome=created job=${answer.job.name}`);
});

test("README's three lines run the sync, wait for its end and read its log, as printed", {
  timeout: timeoutMs,
}, async () => {
  const [block = ""] = readShellBlocks("See the run");
  const lines = block.trimEnd().split("\n");
  expect(lines).toEqual(Array(3).fill(expect.stringMatching(/^curl -s .*http:\/\/127\.0\.0\.1:8080\//)));
  const { curlLines } = await startDev();
  // "which prints the port it found": where somebody else has 8080, this is what a person changes in them.
  const [address = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(curlLines[0] ?? "") ?? [];
  const run = async (line = "") => (await shell(line.replace("http://127.0.0.1:8080", address))).stdout;
  const { outcome, job } = JSON.parse(await run(lines[0])) as TriggerAnswer;
  expect(outcome).toBe("created");
  const steps = ["trades", "rewards"].map((name) => ({ name, state: "seen" }));
  expect(JSON.parse(await run(lines[1]))).toMatchObject({ name: job.name, state: "succeeded", steps });
  expect(await run(lines[2])).toMatch(
    /^kraken-sync: .*\nreward sync: 28 rewards written in 2 pages\nkraken-sync: done\n$/s,
  );
});

test("ends the function and what runs with SIGTERM", { timeout: timeoutMs }, async () => {
  const dev = await startDev();
  await shell(dev.curlLines[0] ?? "");
  const url = /http:\S+(?=\/trigger-sync)/.exec(dev.curlLines[0] ?? "")?.[0] ?? "";
  dev.child.kill("SIGTERM");
  expect(await dev.ended).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
  expect(await readdir(dev.temporary)).toEqual([]);
});

test("waits for the function to finish what it has begun", { timeout: timeoutMs }, async () => {
  const directory = await newTemporary();
  const proof = join(directory, "drained");
  const dev = await startDev([
    await fakeFunction(`
      import { writeFileSync } from "node:fs";
      import { createServer } from "node:http";
      createServer((_, response) => response.end("ready")).listen(process.env.PORT);
      const drain = () => setTimeout(() => {
        writeFileSync(${JSON.stringify(proof)}, "");
        process.exit(0);
      }, 500);
      process.once("SIGTERM", drain);
    `),
  ]);
  dev.child.kill("SIGTERM");
  expect(await dev.ended).toBe(0);
  expect(await readdir(directory)).toEqual(["drained"]);
});

test("takes the next free port", { timeout: timeoutMs }, async () => {
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  // Whoever has it already serves as well.
  server.on("error", () => undefined).listen(8080);
  const dev = await startDev([
    await fakeFunction(`
    import { createServer } from "node:http";
    createServer((_, response) => response.end("ready")).listen(process.env.PORT);
  `),
  ]);
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(dev.curlLines[0] ?? "")?.[1]);
  expect(port).toBeGreaterThan(8080);
  dev.child.kill("SIGINT");
  expect(await dev.ended).toBe(0);
});

test.each([
  ["ends at once", "console.error('CRONJOB_NAME: no such setting'); process.exit(1);", "with exit code 1"],
  ["is killed", "process.kill(process.pid, 'SIGKILL');", "by a signal"],
])("says so and fails when the function %s", { timeout: timeoutMs }, async (_what, source, how) => {
  const dev = spawnDev(await newTemporary(), [await fakeFunction(source)]);
  expect(await dev.ended).toBe(1);
  expect(dev.output()).toContain(`dev: the function ended ${how} before it was ready; its last lines say why\n`);
  expect(await readdir(dev.temporary)).toEqual([]);
});

test("fails when the function ends later", { timeout: timeoutMs }, async () => {
  const dev = await startDev([
    await fakeFunction(`
    import { createServer } from "node:http";
    const server = createServer((request, response) => {
      if (request.url === "/trigger-sync") process.exit(7);
      response.end("ready");
    });
    server.listen(process.env.PORT);
  `),
  ]);
  await shell(dev.curlLines[0] ?? "").catch(() => undefined);
  expect(await dev.ended).toBe(1);
  expect(dev.output()).toContain("dev: the function ended with exit code 7\n");
});
