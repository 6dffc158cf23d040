import type { Config } from "../config.ts";
import { isJobOf, type Job, type Pod, podsOf, toJob } from "../core/workload.ts";
import { Fault } from "../errors.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { reportApiErrors, toApiFault } from "../kubernetes/report-api-errors.ts";

/** What the Jobs API works with. */
export type JobsContext = {
  cluster: Cluster;
  /** The CronJob's namespace. */
  namespace: string;
  config: Pick<Config, "cronJobName" | "syncSteps" | "requestTimeoutS" | "logLimitBytes">;
};

/** A Job and its pods in order of creation. */
export type Run = { job: Job; pods: Pod[] };

const jobNameForm = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Reads a Job of our CronJob. Throws 404 for any other name, whether such a Job exists or not. */
async function readJob({ cluster, namespace, config }: JobsContext, name: string, signal: AbortSignal) {
  const missing = `CronJob ${namespace}/${config.cronJobName} has no Job ${JSON.stringify(name.slice(0, 63))}; \
history limits or a TTL remove finished Jobs`;
  if (!jobNameForm.test(name)) throw new Fault("job-not-found", missing);
  const object = await cluster.getJob(name, { signal }).catch(reportApiErrors({ missing, code: "job-not-found" }));
  const job = toJob(object);
  if (!isJobOf(job, config.cronJobName)) throw new Fault("job-not-found", missing);
  return job;
}

/** Reads a Job of our CronJob and its pods. */
export async function readRun(context: JobsContext, name: string, signal: AbortSignal): Promise<Run> {
  const job = await readJob(context, name, signal);
  const labels = job.spec.selector?.matchLabels ?? { "batch.kubernetes.io/job-name": name };
  const list = await context.cluster.listPods(labels, { signal }).catch((error) => {
    throw toApiFault(error);
  });
  return { job, pods: podsOf(job, list) };
}
