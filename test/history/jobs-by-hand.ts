import { endedStatus } from "../support/end-job.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { until } from "../support/until.ts";
import type { JobSeen, Recorder } from "./history.ts";
import type { Random } from "./random.ts";

/** Longer than any outage that a run makes. */
const patienceMs = 120_000;

/** What is done to the Jobs of a run: some end, some are removed by a person. */
export type Hands = { onJob(job: JobSeen): void; close(): Promise<void> };

/**
 * Ends Jobs as their controller would (they are `managedBy` the test, so that none needs a pod), and removes some:
 * at once, or soon, whether they have ended or not.
 */
export function createHands(
  api: KubeApi,
  namespace: string,
  recorder: Recorder,
  { random, endsAfterMs, removedShare }: { random: Random; endsAfterMs: number | undefined; removedShare: number },
): Hands {
  const work: Promise<unknown>[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const path = (name: string) => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
  const later = (ms: number, act: () => Promise<unknown>) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work.push(act());
    }, ms);
    timers.add(timer);
  };

  const end = ({ name, uid }: JobSeen) => {
    const patch = { metadata: { uid }, status: endedStatus() };
    return insist(`Job ${name} to be ended`, async () => {
      const answer = await api.call("PATCH", `${path(name)}/status`, patch, mergePatch);
      if (answer.status < 300) recorder.record({ kind: "end", atMs: Date.now(), uid });
      return answer;
    });
  };
  const remove = ({ name, uid }: JobSeen) => {
    recorder.record({ kind: "removal", atMs: Date.now(), uid });
    const body = JSON.stringify({ propagationPolicy: "Background", preconditions: { uid } });
    // Node frames no body of a DELETE by itself, and what follows on the connection would be read as part of it.
    const headers = { "content-length": String(Buffer.byteLength(body)) };
    return insist(`Job ${name} to be removed`, () => api.call("DELETE", path(name), body, headers));
  };

  return {
    onJob(job) {
      if (job.change !== "added" && job.change !== "listed") return;
      const isRemoved = random.chance(removedShare);
      const removedAfterMs = random.pick([0, 1_000, 10_000]) * random.next();
      if (isRemoved) later(removedAfterMs, () => remove(job));
      if (endsAfterMs !== undefined) later(random.between(0, endsAfterMs), () => end(job));
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(work);
    },
  };
}

const mergePatch = { "content-type": "application/merge-patch+json" };

/** Calls until the API server has done it, or says that the Job is gone (404) or another (409 of a delete, 422). */
function insist(what: string, call: () => ReturnType<KubeApi["call"]>): Promise<boolean> {
  return until(
    what,
    async () => {
      const answer = await call().catch(() => undefined);
      return answer !== undefined && (answer.status < 300 || [404, 409, 422].includes(answer.status));
    },
    patienceMs,
  );
}
