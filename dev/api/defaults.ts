import { isJsonObject, type JsonObject } from "./json.ts";
import type { CoreEvent, CronJob, Job, JobSpec, Lease, Namespace } from "./objects.ts";
import { defaultPodTemplate } from "./pod-defaults.ts";

/** Kubernetes has no number for "without limit"; backoffLimitPerIndex makes the Job's own limit this one. */
const largestInt32 = 2 ** 31 - 1;

function defaultJobSpec(spec: Partial<JobSpec> | undefined): JobSpec {
  const { completions, backoffLimitPerIndex, podFailurePolicy } = spec ?? {};
  const parallelism = spec?.parallelism ?? 1;
  return {
    ...spec,
    parallelism,
    ...(completions === undefined && spec?.parallelism === undefined ? { completions: 1 } : {}),
    backoffLimit: spec?.backoffLimit ?? (backoffLimitPerIndex === undefined ? 6 : largestInt32),
    template: defaultPodTemplate(spec?.template),
    completionMode: spec?.completionMode ?? "NonIndexed",
    suspend: spec?.suspend ?? false,
    manualSelector: spec?.manualSelector ?? false,
    podReplacementPolicy: spec?.podReplacementPolicy ?? (podFailurePolicy ? "Failed" : "TerminatingOrFailed"),
    ...(isJsonObject(podFailurePolicy) ? { podFailurePolicy: defaultFailurePolicy(podFailurePolicy) } : {}),
  };
}

function defaultFailurePolicy(policy: JsonObject): JsonObject {
  const rules = Array.isArray(policy.rules) ? policy.rules.filter(isJsonObject) : [];
  return {
    ...policy,
    rules: rules.map((rule) => {
      const patterns = Array.isArray(rule.onPodConditions) ? rule.onPodConditions.filter(isJsonObject) : [];
      return patterns.length === 0
        ? rule
        : { ...rule, onPodConditions: patterns.map((each) => ({ status: "True", ...each })) };
    }),
  };
}

/**
 * A Job with what the server fills in. A Job without labels takes its pods' labels, also when it is read again later: the
 * very same map, as in Go, so that what is added to the one is added to the other.
 */
export function defaultJob(job: Job): Job {
  const spec = defaultJobSpec(job.spec);
  const own = job.metadata?.labels;
  const labels = own && Object.keys(own).length > 0 ? own : spec.template.metadata.labels;
  return {
    ...job,
    metadata: { ...job.metadata, ...(labels && { labels }) },
    spec,
    status: job.status ?? {},
  };
}

/** A CronJob with what the server fills in; in its template only the pod is filled in, not the Job. */
export function defaultCronJob(cronJob: CronJob): CronJob {
  const spec: Partial<CronJob["spec"]> = cronJob.spec ?? {};
  const template: Partial<CronJob["spec"]["jobTemplate"]> = spec.jobTemplate ?? {};
  const policy = template.spec?.podFailurePolicy;
  return {
    ...cronJob,
    spec: {
      ...spec,
      schedule: spec.schedule ?? "",
      concurrencyPolicy: spec.concurrencyPolicy ?? "Allow",
      suspend: spec.suspend ?? false,
      jobTemplate: {
        ...template,
        metadata: template.metadata ?? {},
        spec: {
          ...template.spec,
          template: defaultPodTemplate(template.spec?.template),
          ...(isJsonObject(policy) ? { podFailurePolicy: defaultFailurePolicy(policy) } : {}),
        },
      },
      successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit ?? 3,
      failedJobsHistoryLimit: spec.failedJobsHistoryLimit ?? 1,
    },
    status: cronJob.status ?? {},
  };
}

/** A Namespace with its own name as a label, and Active. */
export function defaultNamespace(namespace: Namespace): Namespace {
  const { name } = namespace.metadata;
  const labels = { ...namespace.metadata.labels, ...(name && { "kubernetes.io/metadata.name": name }) };
  return {
    ...namespace,
    metadata: { ...namespace.metadata, labels },
    spec: { finalizers: namespace.spec?.finalizers ?? ["kubernetes"] },
    status: namespace.status ?? { phase: "Active" },
  };
}

/** A Lease has a spec, even an empty one. */
export const defaultLease = (lease: Lease): Lease => ({ ...lease, spec: lease.spec ?? {} });

/** An Event with the fields that Go always prints. */
export function defaultEvent(event: CoreEvent): CoreEvent {
  const always = {
    involvedObject: {},
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: null,
    reportingComponent: "",
    reportingInstance: "",
  };
  return Object.assign(always, event);
}
