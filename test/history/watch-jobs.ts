import type { JsonObject } from "../../functions/core/json.ts";
import { listJobs } from "../support/jobs.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { until } from "../support/until.ts";
import type { JobSeen, Policy, Recorder } from "./history.ts";
import { watchCollection } from "./watch-collection.ts";

/** A watch on every Job of a namespace from its beginning. */
export type JobWatch = {
  /** Waits until all that the API server has is seen, and ends the watch; rejects when the watch missed something. */
  close(): Promise<void>;
};

/** Records every Job of a namespace that appears, changes and goes; `onJob` hears of each. */
export async function watchJobs(
  api: KubeApi,
  namespace: string,
  { recorder, onJob }: { recorder: Recorder; onJob: (job: JobSeen) => void },
): Promise<JobWatch> {
  const there = new Map<string, JobSeen>();
  const watch = await watchCollection(api, `/apis/batch/v1/namespaces/${namespace}/jobs`, {
    onChange(change, object) {
      const seen = toJobSeen(object, change);
      if (change === "deleted") there.delete(seen.uid);
      else there.set(seen.uid, seen);
      recorder.record(seen);
      onJob(seen);
    },
    onList(objects, revision) {
      const items = objects.map((item) => toJobSeen(item, "listed"));
      for (const seen of items) {
        const before = there.get(seen.uid);
        there.set(seen.uid, seen);
        if (before?.revision === seen.revision) continue;
        recorder.record(before ? { ...seen, change: "modified" } : seen);
        onJob(seen);
      }
      for (const gone of [...there.values()].filter(({ uid }) => !items.some((item) => item.uid === uid))) {
        there.delete(gone.uid);
        recorder.record({ ...gone, change: "vanished", atMs: Date.now(), revision });
      }
    },
  });
  return {
    async close() {
      await until("the watch to have seen every Job", async () => {
        const jobs = await listJobs(api, namespace);
        return jobs.length === there.size && jobs.every((job) => there.has(toJobSeen(job, "listed").uid));
      });
      await watch.close();
    },
  };
}

type Metadata = {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  annotations?: Record<string, string>;
};
type Status = { conditions?: { type: string; status: string }[] };

// Read without the function's own code: the checker must not share its mistakes.
function toJobSeen({ metadata, status }: JsonObject, change: JobSeen["change"]): JobSeen {
  const { name, uid, resourceVersion, creationTimestamp, annotations = {} } = metadata as Metadata;
  const [key, onOverlap] = annotations["sync-trigger.internal/reason"]?.split("; ") ?? [];
  const { conditions = [] } = (status ?? {}) as Status;
  return {
    ...{ kind: "job", atMs: Date.now(), change, revision: Number(resourceVersion), name, uid },
    key,
    onOverlap: onOverlap as Policy | undefined,
    keyDigest: annotations["sync-trigger.internal/key-digest"],
    createdAtMs: Date.parse(creationTimestamp),
    hasEnded: conditions.some(({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True"),
  };
}
