import { isDeepStrictEqual } from "node:util";
import { defaultCronJob, defaultEvent, defaultJob, defaultLease, defaultNamespace } from "./defaults.ts";
import type { FieldError } from "./invalid.ts";
import { dnsLabelErrors } from "./names.ts";
import type { CoreEvent, CronJob, Job, KubeObject, Lease, Namespace } from "./objects.ts";
import { CRONJOBS, EVENTS, JOBS, LEASES, NAMESPACES, type Resource } from "./resources.ts";
import { cronJobErrors, cronJobUpdateErrors } from "./validate-cronjob.ts";
import { generatedLabels, jobErrors, jobUpdateErrors } from "./validate-job.ts";
import { eventErrors, leaseErrors, leaseUpdateErrors, namespaceErrors } from "./validate-others.ts";

/** What a kind of object does when it is written: the counterpart of the server's strategy.go files. */
export interface Strategy<T extends KubeObject> {
  fill(object: T): T;
  prepareCreate(object: T): T;
  createErrors(object: T): FieldError[];
  prepareUpdate(object: T, before: T): T;
  updateErrors(object: T, before: T): FieldError[];
  warnings(object: T): string[];
  /** Whether PUT without a resourceVersion overwrites. */
  updatesUnconditionally: boolean;
  createsOnUpdate: boolean;
}

const plain = {
  fill: <T>(object: T) => object,
  prepareCreate: <T>(object: T) => object,
  prepareUpdate: <T>(object: T) => object,
  updateErrors: () => [],
  warnings: () => [],
  updatesUnconditionally: true,
  createsOnUpdate: false,
};

function nameWarnings({ metadata: { name } }: KubeObject): string[] {
  const errors = dnsLabelErrors(name);
  const advice =
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
  return errors.length === 0 ? [] : [`${advice}: [${errors.join(" ")}]`];
}

/** Counts the versions of a spec; the status is written by its own door. */
function keepStatusAndCount<T extends Job | CronJob>(object: T, before: T): T {
  const counted = (before.metadata.generation ?? 0) + (isDeepStrictEqual(object.spec, before.spec) ? 0 : 1);
  return { ...object, metadata: { ...object.metadata, generation: counted }, status: before.status };
}

function prepareJob(job: Job): Job {
  const { metadata, spec } = job;
  const fresh = { ...job, metadata: { ...metadata, generation: 1 }, status: {} };
  if (spec.manualSelector) return fresh;
  const given = spec.template.metadata.labels;
  // A label that is there already stays, and is then found to be wrong if it is.
  const labels = { ...generatedLabels(metadata.name, metadata.uid), ...given };
  const isShared = given !== undefined && metadata.labels === given;
  return {
    ...fresh,
    metadata: { ...fresh.metadata, ...(isShared && { labels }) },
    spec: {
      ...spec,
      selector: generatedSelector(spec.selector, metadata.uid),
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

const generatedSelector = (given: Job["spec"]["selector"], uid: string) => ({
  ...given,
  matchLabels: { "batch.kubernetes.io/controller-uid": uid, ...given?.matchLabels },
});

const jobs: Strategy<Job> = {
  ...plain,
  fill: defaultJob,
  prepareCreate: prepareJob,
  createErrors: jobErrors,
  prepareUpdate: keepStatusAndCount,
  updateErrors: jobUpdateErrors,
  warnings: nameWarnings,
};

const cronJobs: Strategy<CronJob> = {
  ...plain,
  fill: defaultCronJob,
  prepareCreate: (cronJob) => ({ ...cronJob, metadata: { ...cronJob.metadata, generation: 1 }, status: {} }),
  createErrors: cronJobErrors,
  prepareUpdate: keepStatusAndCount,
  updateErrors: cronJobUpdateErrors,
  warnings: nameWarnings,
};

const leases: Strategy<Lease> = {
  ...plain,
  fill: defaultLease,
  createErrors: leaseErrors,
  updateErrors: leaseUpdateErrors,
  updatesUnconditionally: false,
  createsOnUpdate: true,
};

const namespaces: Strategy<Namespace> = {
  ...plain,
  fill: defaultNamespace,
  prepareCreate: (namespace) => ({ ...namespace, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } }),
  createErrors: namespaceErrors,
};

const events: Strategy<CoreEvent> = { ...plain, fill: defaultEvent, createErrors: eventErrors };

// Each row knows its own type, which the map cannot say.
const strategies = new Map<Resource, unknown>([
  [JOBS, jobs],
  [CRONJOBS, cronJobs],
  [LEASES, leases],
  [NAMESPACES, namespaces],
  [EVENTS, events],
]);

/** The strategy of a resource; one that is never written over HTTP, as pods here, has the plain one. */
export function strategyOf<T extends KubeObject>(resource: Resource<T>): Strategy<T> {
  return (strategies.get(resource) ?? { ...plain, createErrors: () => [] }) as Strategy<T>;
}
