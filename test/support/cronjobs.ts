import type { JsonObject } from "../../functions/core/json.ts";

/** A CronJob of examples/kraken-sync's kind that never runs by itself: its pods really do the two steps. */
export function syncCronJob(name: string, image: string, env: Record<string, string> = {}): JsonObject {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name },
    spec: {
      schedule: "0 3 * * *",
      successfulJobsHistoryLimit: 100,
      failedJobsHistoryLimit: 100,
      jobTemplate: {
        metadata: { labels: { app: "sync" }, annotations: { "example.com/kept": "yes" } },
        spec: {
          backoffLimit: 0,
          template: {
            spec: {
              restartPolicy: "Never",
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: "sync",
                  image,
                  imagePullPolicy: "IfNotPresent",
                  command: ["node", "sync.mjs"],
                  env: Object.entries({ SYNC_SECONDS: "0", ...env }).map(([key, value]) => ({ name: key, value })),
                },
              ],
            },
          },
        },
      },
    },
  };
}

/** A CronJob whose Jobs are stored but start no pod (`suspend` in the template): for tests of the trigger alone. */
export function idleCronJob(name: string): JsonObject {
  const cronJob = syncCronJob(name, "dev.local/none:1");
  const { jobTemplate } = cronJob.spec as { jobTemplate: { spec: JsonObject } };
  jobTemplate.spec.suspend = true;
  return cronJob;
}
