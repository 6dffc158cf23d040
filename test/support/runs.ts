import type { JobView } from "../../functions/core/job-view.ts";
import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";
import { readTrigger } from "./answers.ts";
import { syncCronJob } from "./cronjobs.ts";
import type { FunctionProcess } from "./function-process.ts";
import { until } from "./until.ts";

/** SYNC_STEPS for examples/kraken-sync. */
export const krakenSteps = "trades=trade sync: * trades written; rewards=reward sync: * rewards written";

/** A CronJob whose container runs this JavaScript; `job` and `pod` are merged into the Job's and the pod's spec. */
export function scriptCronJob(
  { name, image, job = {}, pod = {} }: { name: string; image: string; job?: JsonObject; pod?: JsonObject },
  script: string,
): JsonObject {
  const cronJob = syncCronJob(name, image);
  const { jobTemplate } = cronJob.spec as { jobTemplate: { spec: JsonObject } };
  const template = jobTemplate.spec.template as { spec: JsonObject & { containers: JsonObject[] } };
  const [container] = template.spec.containers;
  if (container) container.command = ["node", "-e", script];
  Object.assign(template.spec, pod);
  Object.assign(jobTemplate.spec, job);
  return cronJob;
}

/** Triggers the CronJob and gives the Job's name. */
export async function startRun(fn: FunctionProcess, reason?: string): Promise<string> {
  const body = reason === undefined ? {} : { body: JSON.stringify({ reason }) };
  const headers = { "content-type": "application/json" };
  const { job } = await readTrigger(await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers, ...body }));
  return job.name;
}

/** Asks for a Job; with `waitS` for its end. */
export function askForJob(fn: FunctionProcess, name: string, waitS?: number, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = waitS === undefined ? {} : { prefer: `wait=${waitS}` };
  return fetch(`${fn.url}/jobs/${name}`, { headers, ...(signal ? { signal } : {}) });
}

/** The Job of an answer of 200. */
export async function readJob(answer: Response): Promise<JobView> {
  if (answer.status !== 200) throw new Error(`expected 200, got ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as JobView;
}

/** Waits for a Job's end, one wait after the other: the longest is shorter than a busy node may need for a pod. */
export async function waitForRun(fn: FunctionProcess, name: string): Promise<Response> {
  for (;;) {
    const answer = await askForJob(fn, name, 25);
    const { state } = await readJob(answer.clone());
    if (state !== "queued" && state !== "running") return answer;
  }
}

/** Asks again and again until the Job is as wanted. */
export function untilJob(fn: FunctionProcess, name: string, what: string, isWanted: (job: JobView) => boolean) {
  const look = async () => {
    const job = await readJob(await askForJob(fn, name));
    return isWanted(job) && job;
  };
  // A kubelet pulls one image after the other, and a name that nobody knows takes it a while.
  return until(`Job ${name} to be ${what}`, look, 80_000);
}

/** The names of the Jobs in an answer of GET /jobs. */
export async function jobNames(answer: Response): Promise<string[]> {
  const body: unknown = await answer.json();
  if (!isJsonObject(body) || !Array.isArray(body.jobs)) throw new Error(`no list of Jobs: ${JSON.stringify(body)}`);
  return (body.jobs as JobView[]).map(({ name }) => name);
}
