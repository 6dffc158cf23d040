import { eventOfJob } from "./core/event-of-job.ts";
import type { JsonObject } from "./core/json.ts";
import type { JobRef } from "./core/outcome.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { toApiFault } from "./kubernetes/report-api-errors.ts";
import type { Logger } from "./log.ts";

/** Tells of manual runs by Kubernetes Events on the CronJob (KUBERNETES_EVENTS=on, manifests/components/events). */
export type RunAnnouncer = {
  /** Takes a Job as sent and as stored. Returns at once: nobody waits for an Event, and a failed one is only logged. */
  announce(sent: JsonObject, stored: JobRef): void;
  /** Waits until every Event was sent, at most `timeoutMs`; what is left then is lost. */
  settle(timeoutMs: number): Promise<void>;
};

/** As many runs may wait for their Event: some 1 MB. */
const longestQueue = 1_000;

/** One Event at a time, so that they take one of the connections that triggers need, and no more. */
export function createRunAnnouncer(cluster: Pick<Cluster, "createEvent">, log: Pick<Logger, "warn">): RunAnnouncer {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();

  async function send(event: JsonObject, job: string): Promise<void> {
    try {
      await cluster.createEvent(event, { signal: new AbortController().signal });
    } catch (error) {
      const fault = toApiFault(error);
      log.warn({ job, detail: fault instanceof Error ? fault.message : String(fault) }, "no Event");
    }
    waiting -= 1;
  }

  return {
    announce(sent, stored) {
      if (waiting === longestQueue) {
        log.warn({ job: stored.name, detail: `${longestQueue} others wait for theirs` }, "no Event");
        return;
      }
      waiting += 1;
      last = last.then(() => send(eventOfJob(sent, stored), stored.name));
    },
    async settle(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([last, late]);
      clearTimeout(timer);
    },
  };
}
