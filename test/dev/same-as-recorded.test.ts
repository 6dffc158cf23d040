import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedCluster, startEmbeddedCluster } from "../../dev/embedded-cluster.ts";
import { connectKubeApi } from "../support/kube-api.ts";
import { runningCronJobs, runSteps } from "./calls/runs.ts";
import { apiSteps, play, type Send } from "./calls.ts";
import { differences, judge } from "./compare.ts";
import { knownApiDifferences, knownRunDifferences } from "./known-differences.ts";
import { normalise } from "./normalise.ts";
import { readRecording } from "./recording.ts";
import { sender } from "./send.ts";

const timeoutMs = 240_000;
const notModelled: string[] = [];
let cluster: EmbeddedCluster;
let directory: string;
let send: Send;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "same-as-recorded-"));
  cluster = await startEmbeddedCluster({
    images: { "dev.local/kraken-sync:1": "examples/kraken-sync" },
    onUnmodelled: (method, path) => notModelled.push(`${method} ${path.replace(/\?.*/, "")}`),
    podBackoffMs: 50,
  });
  const kubeconfig = join(directory, "embedded.json");
  await writeFile(kubeconfig, cluster.kubeconfig("default"));
  send = sender(connectKubeApi(kubeconfig));
});

afterAll(async () => {
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});

test("answers calls as a real API server answered them", { timeout: timeoutMs }, async () => {
  const ours = normalise(await play(send, apiSteps("recorded-calls")), "recorded-calls");
  const { unknown, unused } = judge(differences(ours, await readRecording("calls")), knownApiDifferences);
  expect(unknown).toEqual([]);
  expect(unused).toEqual([]);
});

test("tells of each call that it does not model, and of no other", () => {
  const jobs = "/apis/batch/v1/namespaces/recorded-calls/jobs";
  expect(notModelled).toEqual([
    `GET ${jobs}/l1`,
    "GET /api/v1/namespaces/recorded-calls/configmaps",
    "GET /apis",
    `GET ${jobs}/l1`,
    `POST ${jobs}`,
    `PATCH ${jobs}/l1`,
    `DELETE ${jobs}`,
    "GET /api/v1/namespaces/recorded-calls/status",
    `PATCH ${jobs}/l1/status`,
    "POST /api/v1/namespaces/recorded-calls/events",
    "POST /api/v1/namespaces/recorded-calls/pods",
  ]);
});

test("runs Jobs as a real controller, scheduler and kubelet ran them", { timeout: timeoutMs }, async () => {
  for (const cronJob of runningCronJobs("recorded-runs")) await cluster.seedCronJob(cronJob);
  const ours = normalise(await play(send, runSteps("recorded-runs")), "recorded-runs");
  const { unknown, unused } = judge(differences(ours, await readRecording("runs")), knownRunDifferences);
  expect(unknown).toEqual([]);
  expect(unused).toEqual([]);
});
