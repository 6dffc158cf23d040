// One script of calls against the embedded cluster and the real one, the answers compared field by field.
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedCluster, startEmbeddedCluster } from "../../dev/embedded-cluster.ts";
import { runningCronJobs, runSteps } from "../dev/calls/runs.ts";
import type { Step } from "../dev/calls/step.ts";
import { apiSteps, type Played, play, type Send } from "../dev/calls.ts";
import { differences, judge, type KnownDifference } from "../dev/compare.ts";
import { knownApiDifferences, knownRunDifferences } from "../dev/known-differences.ts";
import { normalise } from "../dev/normalise.ts";
import { readRecording, type Script, writeRecording } from "../dev/recording.ts";
import { sender } from "../dev/send.ts";
import { connectKubeApi, type KubeApi } from "../support/kube-api.ts";
import { kubeconfigOfUser } from "../support/kubeconfig-of-user.ts";

const timeoutMs = 300_000;
let embedded: EmbeddedCluster;
let directory: string;
let sendEmbedded: Send;
let real: KubeApi;
const namespaces: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "same-as-real-"));
  embedded = await startEmbeddedCluster({
    images: { "dev.local/kraken-sync:1": "examples/kraken-sync" },
    onUnmodelled: () => undefined,
    // The real one is waited for anyway.
    podBackoffMs: 500,
  });
  const kubeconfig = join(directory, "embedded.json");
  await writeFile(kubeconfig, embedded.kubeconfig("default"));
  sendEmbedded = sender(connectKubeApi(kubeconfig));
  real = connectKubeApi(kubeconfigOfUser(), process.env.TEST_KUBE_CONTEXT);
});

afterAll(async () => {
  await embedded?.close();
  await rm(directory, { recursive: true, force: true });
  for (const namespace of namespaces) await real.call("DELETE", `/api/v1/namespaces/${namespace}`);
});

function newNamespace(): string {
  const namespace = `same-${createHash("sha256").update(randomBytes(16)).digest("hex").slice(0, 10)}`;
  namespaces.push(namespace);
  return namespace;
}

/** Plays the steps against both at once; every difference must be known, and every known one be there. */
async function expectSame(
  script: Script,
  namespace: string,
  steps: readonly Step[],
  known: readonly KnownDifference[],
): Promise<void> {
  const played = await Promise.all([play(sendEmbedded, steps), play(sender(real), steps)]);
  const [ours, theirs] = played.map((answers) => normalise(answers, namespace)) as [Played[], Played[]];
  const { unknown, unused } = judge(differences(ours, theirs), known);
  expect(unknown).toEqual([]);
  expect(unused.map(({ step, path }) => `${step} ${path}`)).toEqual([]);
  // What level 1 compares with must be what a real server says.
  if (process.env.RECORD_ANSWERS) await writeRecording(script, theirs);
  const stale = judge(differences(await readRecording(script), theirs), known).unknown;
  expect(stale).toEqual([]);
}

test("answers calls as a real API server does", { timeout: timeoutMs }, async () => {
  const namespace = newNamespace();
  await expectSame("calls", namespace, apiSteps(namespace), knownApiDifferences);
});

test("runs Jobs as a real Job controller, scheduler and kubelet do", { timeout: timeoutMs }, async () => {
  const namespace = newNamespace();
  await real.expect("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  for (const cronJob of runningCronJobs(namespace)) {
    await embedded.seedCronJob(cronJob);
    await real.expect("POST", `/apis/batch/v1/namespaces/${namespace}/cronjobs`, cronJob);
  }
  await expectSame("runs", namespace, runSteps(namespace), knownRunDifferences);
});
