import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { JsonObject } from "../../../functions/core/json.ts";

const example = join(import.meta.dirname, "../../../examples/kraken-sync/cronjob.yaml");

type CronJob = {
  metadata: { name: string };
  spec: {
    schedule: string;
    suspend?: boolean;
    jobTemplate: { spec: { suspend?: boolean; template: { spec: { containers: [{ env: JsonObject[] }] } } } };
  };
};

/** How a test wants the example's CronJob to be. */
export type CronJobOptions = {
  name?: string;
  /** Never, within a test, unless it is given. */
  schedule?: string;
  suspend?: boolean;
  /** Its Jobs are stored but start no pod: for tests of the trigger alone. */
  isIdle?: boolean;
  env?: Record<string, string>;
};

/** The CronJob of examples/kraken-sync, whose pods meet Pod Security "restricted". */
export function syncCronJob({ name, schedule, suspend, isIdle, env = {} }: CronJobOptions = {}): JsonObject {
  const cronJob = parse(readFileSync(example, "utf8")) as CronJob;
  const { spec } = cronJob;
  if (name) cronJob.metadata.name = name;
  if (suspend) spec.suspend = true;
  if (isIdle) spec.jobTemplate.spec.suspend = true;
  spec.schedule = schedule ?? "0 0 29 2 *";
  spec.jobTemplate.spec.template.spec.containers[0].env = Object.entries({ SYNC_SECONDS: "0", ...env }).map(
    ([key, value]) => ({ name: key, value }),
  );
  return cronJob as unknown as JsonObject;
}
