import { type JobView, toJobView } from "../core/job-view.ts";
import { compareTexts, creationOrder, isJobOf, type Job } from "../core/workload.ts";
import { toApiFault } from "../kubernetes/report-api-errors.ts";
import type { JobsContext } from "./read-run.ts";

/** Jobs that one request takes from the API server: kubectl's number. */
const pageSize = 500;

/** The newest Jobs of our CronJob, newest first. Reads the namespace page by page and keeps `limit` Jobs at most. */
export async function listJobs(
  { cluster, config: { cronJobName } }: JobsContext,
  limit: number,
  signal: AbortSignal,
): Promise<JobView[]> {
  let newest: Job[] = [];
  let after: string | undefined;
  do {
    const page = await cluster.listJobs({ limit: pageSize, after }, { signal }).catch((error) => {
      throw toApiFault(error);
    });
    const ours = ((page.items ?? []) as unknown as Job[]).filter((job) => isJobOf(job, cronJobName));
    newest = [...newest, ...ours].sort(byCreationDescending).slice(0, limit);
    after = (page.metadata as { continue?: string } | undefined)?.continue || undefined;
  } while (after !== undefined);
  const nowMs = Date.now();
  return newest.map((job) => toJobView(job, undefined, nowMs));
}

function byCreationDescending(a: Job, b: Job): number {
  return compareTexts(creationOrder(b.metadata), creationOrder(a.metadata));
}
