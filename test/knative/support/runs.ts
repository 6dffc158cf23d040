import { list, mergePatch } from "./cluster.ts";
import type { Installation } from "./install.ts";

/** A Job as far as these tests look at it. */
export type Run = {
  metadata: { name: string; creationTimestamp: string; annotations?: Record<string, string> };
  status: {
    startTime?: string;
    completionTime?: string;
    conditions?: { type: string; status: string; lastTransitionTime: string }[];
  };
};

/** Every Job of the namespace. */
export function listRuns({ namespace }: Installation): Promise<Run[]> {
  return list<Run>(`/apis/batch/v1/namespaces/${namespace}/jobs`);
}

/** The tick that the CronJob controller made a Job for; undefined for a manual one. */
export function tickOf({ metadata }: Run): string | undefined {
  return metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"];
}

/** How a manual Job was asked for. */
export function viaOf({ metadata }: Run): string | undefined {
  return metadata.annotations?.["sync-trigger.internal/via"];
}

/** How and when a Job ended; undefined while it has not. */
export function endOf({ status }: Run): { type: string; at: string } | undefined {
  const end = status.conditions?.find(({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True");
  return end && { type: end.type, at: end.lastTransitionTime };
}

/** The path of an installation's CronJob. */
export function cronJobPath({ namespace, cronJobName }: Installation): string {
  return `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`;
}

/** Changes the schedule of an installation's PingSource. */
export async function schedulePing({ namespace }: Installation, schedule: string): Promise<void> {
  const path = `/apis/sources.knative.dev/v1/namespaces/${namespace}/pingsources/sync-trigger-fallback`;
  await mergePatch(path, { spec: { schedule } });
}
