import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import type { TriggerAnswer } from "../support/answers.ts";
import { kubectl } from "../support/kubectl.ts";
import { readShellBlocks } from "../support/shell-blocks.ts";
import { type Installation, install } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

/** Two things are not as printed: the namespace, and the image, because no registry can be reached from our cluster. */
const curlImage = process.env.TEST_CURL_IMAGE ?? "dev.local/python:3.11";
const [, block = ""] = readShellBlocks("See the run");
const [prepare = "", calls = ""] = block.split("\n\n");

let installation: Installation;
beforeAll(async () => {
  installation = await install({
    overlay: "kraken",
    what: "readme",
    cronJob: syncCronJob({ env: { SYNC_SECONDS: "6" } }),
  });
});
removeAfterwards(() => [installation]);

/** Runs lines of the block in a shell, and gives what they print. */
async function run(lines: string): Promise<string> {
  const script = lines
    .replaceAll(/-n kraken\b/g, `-n ${installation.namespace}`)
    .replaceAll("sync-trigger.kraken.svc", `sync-trigger.${installation.namespace}.svc`)
    .replace(/--image=curlimages\/curl:\S+/, `--image=${curlImage}`);
  return (await promisify(execFile)("sh", ["-e", "-c", script], { timeout: 120_000 })).stdout;
}

test("README's three lines for a cluster run the sync, wait for its end and read its log, where Pod Security is restricted", async () => {
  const lines = calls.trim().split("\n");
  expect(prepare).toContain("ask() { kubectl -n kraken run --rm -i");
  expect(prepare).toContain("--image=curlimages/curl:");
  expect(lines).toEqual(Array(3).fill(expect.stringMatching(/^ask /)));
  const ask = (line = "") => run(`${prepare}\n${line}`);

  const { outcome, job } = JSON.parse(await ask(lines[0])) as TriggerAnswer;
  expect(outcome).toBe("created");
  const steps = ["trades", "rewards"].map((name) => ({ name, state: "seen" }));
  expect(JSON.parse(await ask(lines[1]))).toMatchObject({ name: job.name, state: "succeeded", steps });
  expect(await ask(lines[2])).toMatch(
    /^kraken-sync: .*\nreward sync: 28 rewards written in 2 pages\nkraken-sync: done\n$/s,
  );
  expect(await kubectl("-n", installation.namespace, "get", "pod", "curl", "--ignore-not-found")).toBe("");
});
