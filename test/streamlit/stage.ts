// The cluster behind the browser test, the embedded one or with TEST_TARGET=real that of KUBECONFIG. Its first line of
// output is {namespace, env}; then each line of input {seed: {name, env, job}} or {jobs: CRONJOB} is answered by a line.
// It ends with its input, and everything with it.
import { createInterface } from "node:readline";
import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";
import { syncCronJob } from "../support/cronjobs.ts";
import { openTarget, type Target } from "../support/target.ts";

type Command = { seed: { name: string; env: Record<string, string>; job: JsonObject } } | { jobs: string };

const target = await openTarget("streamlit");
try {
  const namespace = await target.createNamespace("page");
  write({ namespace, env: await target.env() });
  for await (const line of createInterface({ input: process.stdin })) {
    write(await answer(target, namespace, JSON.parse(line) as Command));
  }
} finally {
  await target.close();
}

async function answer({ api, seedCronJob, syncImage }: Target, namespace: string, command: Command): Promise<object> {
  if ("seed" in command) {
    const { name, env, job } = command.seed;
    const cronJob = syncCronJob(name, syncImage, env);
    const { jobTemplate } = cronJob.spec as { jobTemplate: { spec: JsonObject } };
    Object.assign(jobTemplate.spec, job);
    await seedCronJob(namespace, cronJob);
    return {};
  }
  const { items } = await api.expect("GET", `/apis/batch/v1/namespaces/${namespace}/jobs`);
  const jobs = Array.isArray(items) ? items.filter(isJsonObject) : [];
  const ours = jobs.map(({ metadata }) => metadata as JsonObject).filter((metadata) => isOf(metadata, command.jobs));
  return { names: ours.map(({ name }) => name) };
}

function isOf({ ownerReferences }: JsonObject, cronJobName: string): boolean {
  const owners = Array.isArray(ownerReferences) ? ownerReferences.filter(isJsonObject) : [];
  return owners.some(({ kind, name }) => kind === "CronJob" && name === cronJobName);
}

function write(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
