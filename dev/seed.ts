import { isDeepStrictEqual } from "node:util";
import { createObject } from "./api/create.ts";
import type { JsonObject } from "./api/json.ts";
import type { CronJob, Job, Namespace, PodSpec } from "./api/objects.ts";
import { decodeObject } from "./api/read-body.ts";
import { CRONJOBS, NAMESPACES } from "./api/resources.ts";
import type { Schema } from "./api/schema.ts";
import type { Store } from "./api/store.ts";
import { replaceObject } from "./api/update.ts";
import { unrunnableFields } from "./runnable.ts";

/** By the uid of each seeded CronJob, the pod specs that it was seeded with: what may run on this machine. */
export type Seeds = Map<string, PodSpec[]>;

interface SeedContext {
  store: Store;
  schema: Schema;
  seeds: Seeds;
}

/** Stores a CronJob whose Jobs run. Throws an Error that names the fields which could not be run truthfully. */
export function seedCronJob({ store, schema, seeds }: SeedContext, json: JsonObject): JsonObject {
  const { object } = decodeObject(schema, CRONJOBS, json, "Strict");
  const given = object as unknown as CronJob;
  const { name, namespace = "default" } = given.metadata;
  const problems = unrunnableFields(given.spec.jobTemplate.spec, "spec.jobTemplate.spec");
  if (problems.length > 0) {
    throw new Error(`CronJob ${name} cannot be run by the embedded cluster: ${problems.join("; ")}`);
  }
  if (!store.get(NAMESPACES, undefined, namespace)) {
    createObject(store, NAMESPACES, undefined, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    } as Namespace);
  }
  const target = { store, resource: CRONJOBS, namespace, name };
  const stored = store.get(CRONJOBS, namespace, name)
    ? replaceObject(target, given).object
    : createObject(store, CRONJOBS, namespace, given);
  const { uid } = stored.metadata;
  seeds.set(uid, [...(seeds.get(uid) ?? []), stored.spec.jobTemplate.spec.template.spec]);
  return stored as unknown as JsonObject;
}

/**
 * Whether a Job may run here: a seeded CronJob controls it and its pods are, word for word, those that were seeded.
 * Whatever else comes in over HTTP, from any program on this machine, is only stored.
 */
export function mayRun(seeds: Seeds, { metadata, spec }: Job): boolean {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  const seeded = seeds.get(owner?.uid ?? "") ?? [];
  return (
    seeded.some((pod) => isDeepStrictEqual(pod, spec.template.spec)) && unrunnableFields(spec, "spec").length === 0
  );
}
