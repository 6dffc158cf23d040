import { deleteObject } from "../api/delete.ts";
import { parseTime } from "../api/go-time.ts";
import { JOBS } from "../api/resources.ts";
import type { Store } from "../api/store.ts";
import { finishedAs, trueCondition } from "./conditions.ts";
import { createWorkQueue } from "./work-queue.ts";

/** Deletes finished Jobs when their ttlSecondsAfterFinished is over. */
export function startTtlController(store: Store): () => void {
  const queue = createWorkQueue("ttl controller", (key) => {
    const [namespace, name = ""] = key.split("/");
    const job = store.get(JOBS, namespace, name);
    const ttlSeconds = job?.spec.ttlSecondsAfterFinished;
    const how = job && finishedAs(job);
    if (ttlSeconds === undefined || !how || job.metadata.deletionTimestamp) return;
    const finishedAt = trueCondition(job, how)?.lastTransitionTime ?? job.metadata.creationTimestamp;
    const leftMs = parseTime(finishedAt) + ttlSeconds * 1000 - Date.now();
    if (leftMs > 0) queue.addAfter(key, leftMs);
    else deleteObject(store, JOBS, namespace, name, { propagation: "Foreground", dryRun: false });
  });
  const unsubscribe = store.subscribe(({ resource, object: { metadata } }) => {
    if (resource === JOBS) queue.add(`${metadata.namespace}/${metadata.name}`);
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}
