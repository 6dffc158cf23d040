import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { type Installation, install } from "../support/installation.ts";
import { kubectl } from "../support/kubectl.ts";
import { readRecord } from "../support/lease.ts";
import { openTarget, type Target } from "../support/target.ts";

// The record as an operator meets it: made, read and applied once more by kubectl, with the rights that ship.

let target: Target;
let namespace: string;
const installations: Installation[] = [];
let fn: FunctionProcess;
const plan = () => ({ namespace, cronJobName: "sync", resources: ["rights"], components: ["exactly-once"] });
beforeAll(async () => {
  target = await openTarget("record by hand");
  namespace = await target.createNamespace("record");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  const first = await install(plan());
  installations.push(first);
  fn = await startFunction({
    ...(await target.env()),
    ...{
      KUBECONFIG: first.kubeconfig,
      CRONJOB_NAME: "sync",
      CRONJOB_NAMESPACE: namespace,
      DEDUPE_WINDOW: "24h",
    },
  });
});
afterAll(async () => {
  await fn?.stop();
  for (const installation of installations) await installation.remove();
  await target?.close();
});

const run = async () => {
  const headers = { "idempotency-key": "k" };
  return readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers }));
};

test("README's command shows a line for the key, and applying the component again leaves it", async () => {
  const made = await run();
  const [, jsonpath] =
    /kubectl -n kraken get lease sync-trigger -o jsonpath='(.+)'/.exec(readFileSync("README.md", "utf8")) ?? [];
  const shown = await kubectl("-n", namespace, "get", "lease", "sync-trigger", "-o", `jsonpath=${jsonpath}`);
  expect(shown).toMatch(/^m[a-z2-7]{17} D \d{8}T\d{6}Z [0-9a-f]{6} [0-9a-f-]{36}\n$/);
  expect(shown).toContain(made.job.uid);

  installations.push(await install(plan()));
  expect((await readRecord(target.api, namespace)).join("\n")).toBe(shown.trimEnd());
  expect(await run()).toEqual({ ...made, outcome: "duplicate" });
});
