import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem, readTrigger } from "../support/answers.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { metadataOf } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { cronJobShapes, refusedCronJob } from "./cronjob-shapes.ts";

const kubectl = (args: string[], env: Record<string, string>) =>
  promisify(execFile)("kubectl", args, { env: { ...process.env, ...env }, timeout: 30_000 });

let target: Target;
let namespace: string;
let env: Record<string, string>;

beforeAll(async () => {
  target = await openTarget("same-as-kubectl");
  namespace = await target.createNamespace("same-as-kubectl");
  env = await target.env();
});

afterAll(async () => {
  await target?.close();
});

async function start(cronJob: JsonObject): Promise<FunctionProcess> {
  const { name } = metadataOf(await target.seedCronJob(namespace, cronJob));
  return startFunction({ ...env, CRONJOB_NAME: name, CRONJOB_NAMESPACE: namespace });
}

/** A stored Job without what must differ: name, uid, times, who wrote it, and the annotations that we document. */
function comparable(job: JsonObject): JsonObject {
  const { uid, name } = metadataOf(job);
  const text = JSON.stringify(job).replaceAll(uid, "UID").replaceAll(name, "NAME");
  const copy = JSON.parse(text) as { metadata: Record<string, Record<string, string>>; status?: unknown };
  for (const key of ["creationTimestamp", "resourceVersion", "managedFields", "generation"]) delete copy.metadata[key];
  for (const key of Object.keys(copy.metadata.annotations ?? {})) {
    if (key.startsWith("sync-trigger.internal/")) delete copy.metadata.annotations?.[key];
  }
  delete copy.status;
  return copy as unknown as JsonObject;
}

test.each(cronJobShapes)(
  "a Job is field for field what kubectl create job --from makes: %s",
  async (_what, cronJob) => {
    const fn = await start(cronJob);
    const { job } = await readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST" }));
    await fn.stop();
    const from = `cronjob/${(cronJob.metadata as JsonObject).name}`;
    const byKubectl = `by-kubectl-${job.name.slice(-17)}`;
    await kubectl(["create", "job", byKubectl, "--from", from, "-n", namespace], env);

    const read = (name: string) => target.api.expect("GET", `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
    const [ours, theirs] = await Promise.all([read(job.name), read(byKubectl)]);
    expect(metadataOf(ours).annotations["sync-trigger.internal/key-digest"]).toMatch(/^[0-9a-f]{64}$/);
    expect(comparable(ours)).toEqual(comparable(theirs));
  },
);

test("a template that the API server refuses is a 502 where kubectl is refused too", async () => {
  const fn = await start(refusedCronJob);
  const answer = await fetch(`${fn.url}/trigger-sync`, { method: "POST" });
  const problem = await readProblem(answer);
  await fn.stop();
  expect([answer.status, problem.type]).toEqual([502, "urn:sync-trigger:api-refused"]);
  expect(problem.detail).toContain("metadata.labels: FieldValueInvalid");
  expect(problem.detail, "values of a template are not quoted").not.toContain("no label value!");
  await expect(kubectl(["create", "job", "x", "--from", "cronjob/refused", "-n", namespace], env)).rejects.toThrow(
    /metadata.labels: Invalid value/,
  );
});
