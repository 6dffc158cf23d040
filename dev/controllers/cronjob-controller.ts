import { deleteObject } from "../api/delete.ts";
import type { CronJob, Job } from "../api/objects.ts";
import { CRONJOBS, JOBS } from "../api/resources.ts";
import type { Store } from "../api/store.ts";
import { finishedAs } from "./conditions.ts";
import { createWorkQueue } from "./work-queue.ts";

const controllerOf = ({ metadata }: Job) => metadata.ownerReferences?.find(({ controller }) => controller);

/** Keeps a CronJob's history limits and its last success. It runs no schedule: nothing here starts by the clock. */
export function startCronJobController(store: Store): () => void {
  const queue = createWorkQueue("cronjob controller", (key) => {
    const [namespace = "", name = ""] = key.split("/");
    const cronJob = store.get(CRONJOBS, namespace, name);
    if (!cronJob || cronJob.metadata.deletionTimestamp) return;
    const jobs = store.list(JOBS, namespace).filter((job) => controllerOf(job)?.uid === cronJob.metadata.uid);
    recordSuccess(store, cronJob, jobs);
    removeOldest(store, jobs, "Complete", cronJob.spec.successfulJobsHistoryLimit);
    removeOldest(store, jobs, "Failed", cronJob.spec.failedJobsHistoryLimit);
  });
  const unsubscribe = store.subscribe(({ resource, object }) => {
    const { namespace, name } = object.metadata;
    if (resource === CRONJOBS) queue.add(`${namespace}/${name}`);
    const owner = resource === JOBS ? controllerOf(object as Job) : undefined;
    if (owner?.kind === "CronJob") queue.add(`${namespace}/${owner.name}`);
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}

function recordSuccess(store: Store, cronJob: CronJob, jobs: readonly Job[]): void {
  const times = jobs.flatMap((job) => (finishedAs(job) === "Complete" ? [job.status.completionTime ?? ""] : []));
  const newest = times.sort().at(-1);
  if (!newest || newest <= (cronJob.status.lastSuccessfulTime ?? "")) return;
  store.update(CRONJOBS, { ...cronJob, status: { ...cronJob.status, lastSuccessfulTime: newest } });
}

function removeOldest(store: Store, jobs: readonly Job[], how: "Complete" | "Failed", limit: number | undefined): void {
  if (limit === undefined) return;
  const started = (job: Job) => `${job.status.startTime ?? ""} ${job.metadata.name}`;
  const finished = jobs.filter((job) => finishedAs(job) === how).sort((a, b) => (started(a) < started(b) ? -1 : 1));
  for (const { metadata } of finished.slice(0, Math.max(0, finished.length - limit))) {
    if (metadata.deletionTimestamp) continue;
    deleteObject(store, JOBS, metadata.namespace, metadata.name, { propagation: "Background", dryRun: false });
  }
}
