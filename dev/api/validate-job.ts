import { type FieldError, inKeyOrder, invalidValue, notSupported, required } from "./invalid.ts";
import { dnsSubdomainErrors } from "./names.ts";
import type { Container, Job, JobSpec, PodSpec } from "./objects.ts";
import { immutableErrors, metaErrors, metaUpdateErrors, negativeErrors } from "./validate-meta.ts";
import { podTemplateErrors } from "./validate-pod-template.ts";

const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** What is wrong with a Job's spec, or with that of a CronJob's template; podFailurePolicy and successPolicy are not read. */
export function jobSpecErrors(spec: JobSpec, field: string): FieldError[] {
  return [
    ...counts.flatMap((name) => negativeErrors(spec[name], `${field}.${name}`)),
    ...(spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined
      ? [required(`${field}.backoffLimitPerIndex`, "when maxFailedIndexes is specified")]
      : []),
    ...managerErrors(spec.managedBy, `${field}.managedBy`),
    ...completionErrors(spec, field),
    ...replacementErrors(spec, field),
    ...podTemplateErrors(spec.template, `${field}.template`),
    ...restartErrors(spec, `${field}.template.spec.restartPolicy`),
  ];
}

function managerErrors(manager: unknown, field: string): FieldError[] {
  if (manager === undefined) return [];
  if (manager === "") return [required(field)];
  const [host = "", path = ""] = String(manager).split(/\/(.*)/s);
  if (host === "" || path === "") {
    return [invalidValue(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  return dnsSubdomainErrors(host).map((why) => invalidValue(field, host, why));
}

function completionErrors(spec: JobSpec, field: string): FieldError[] {
  const modes = ["NonIndexed", "Indexed"];
  const mode = spec.completionMode;
  const errors: FieldError[] = [];
  if (mode !== undefined && !modes.includes(mode)) errors.push(notSupported(`${field}.completionMode`, mode, modes));
  if (mode === "Indexed") {
    if (spec.completions === undefined) {
      errors.push(required(`${field}.completions`, "when completion mode is Indexed"));
    }
    return errors;
  }
  for (const name of ["backoffLimitPerIndex", "maxFailedIndexes"]) {
    if ((mode === undefined || mode === "NonIndexed") && spec[name] !== undefined) {
      errors.push(invalidValue(`${field}.${name}`, spec[name], "requires indexed completion mode"));
    }
  }
  return errors;
}

function replacementErrors(spec: JobSpec, field: string): FieldError[] {
  const policy = spec.podReplacementPolicy;
  const allowed = spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  if (policy === undefined || allowed.includes(String(policy))) return [];
  return [notSupported(`${field}.podReplacementPolicy`, policy, allowed)];
}

function restartErrors({ template, podFailurePolicy }: JobSpec, field: string): FieldError[] {
  const policy = template.spec.restartPolicy;
  if (!policy || policy === "Always") return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(field, policy, ["OnFailure", "Never"])];
  if (!podFailurePolicy || policy === "Never") return [];
  return [invalidValue(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}

/** The labels that the server itself gives to a Job's pods. */
export function generatedLabels(name: string, uid: string): Record<string, string> {
  return {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
}

function generatedErrors({ spec, metadata }: Job): FieldError[] {
  if (spec.manualSelector || !spec.selector) return [];
  const labels = spec.template.metadata.labels ?? {};
  const order = ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];
  const expected = generatedLabels(metadata.name, metadata.uid);
  const wrong = order.filter((key) => labels[key] !== expected[key]);
  return [
    ...wrong.map((key) => {
      const field = `spec.template.metadata.labels[${key}]`;
      const detail = `must be '${expected[key]}'`;
      return labels[key] === undefined ? required(field, detail) : invalidValue(field, inKeyOrder(labels), detail);
    }),
    ...(selects(spec.selector, expected)
      ? []
      : [invalidValue("spec.selector", shownSelector(spec.selector), "`selector` not auto-generated")]),
  ];
}

function selectorErrors({ selector, template }: JobSpec): FieldError[] {
  const { labels } = template.metadata;
  const mismatch = "`selector` does not match template `labels`";
  return [
    ...(selector ? [] : [required("spec.selector")]),
    ...(selects(selector, labels ?? {})
      ? []
      : [invalidValue("spec.template.metadata.labels", labels ? inKeyOrder(labels) : null, mismatch)]),
  ];
}

const shownSelector = (selector: JobSpec["selector"]) =>
  selector && { ...selector, ...(selector.matchLabels && { matchLabels: inKeyOrder(selector.matchLabels) }) };

/** No selector selects nothing; an empty one everything. */
function selects(selector: JobSpec["selector"], labels: Readonly<Record<string, string>>): boolean {
  if (!selector) return false;
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

const wholeSpecErrors = (spec: JobSpec) => [...jobSpecErrors(spec, "spec"), ...selectorErrors(spec)];

/** What is wrong with a new Job. A selector's matchExpressions are not read. */
export function jobErrors(job: Job): FieldError[] {
  return [...metaErrors(job.metadata, true, dnsSubdomainErrors), ...generatedErrors(job), ...wholeSpecErrors(job.spec)];
}

const fixedFields = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"];

/** What is wrong with a changed Job: nearly all of its spec is fixed once it exists. */
export function jobUpdateErrors(job: Job, before: Job): FieldError[] {
  const { spec } = job;
  const old = before.spec;
  return [
    ...jobErrors(job),
    ...metaUpdateErrors(job.metadata, before.metadata),
    ...wholeSpecErrors(spec),
    ...(spec.completionMode === "Indexed"
      ? []
      : immutableErrors(spec.completions, old.completions, "spec.completions")),
    ...immutableErrors(shownSelector(spec.selector), shownSelector(old.selector), "spec.selector"),
    ...templateUpdateErrors(job, before),
    ...fixedFields.flatMap((name) => immutableErrors(spec[name], old[name], `spec.${name}`)),
  ];
}

/** While a Job is suspended and has no pods, it may still be told where its pods run and what they may use. */
function templateUpdateErrors({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  const isSuspended = status.conditions?.some(({ type, status: is }) => type === "Suspended" && is === "True");
  const isFree = old.suspend && (status.startTime === undefined || isSuspended) && !status.active;
  if (!isFree) return immutableErrors(spec.template, old.template, "spec.template");
  return immutableErrors(withoutFree(spec.template.spec), withoutFree(old.template.spec), "spec.template.spec");
}

function withoutFree(pod: PodSpec): unknown {
  const {
    affinity: _affinity,
    nodeSelector: _selector,
    tolerations: _tolerations,
    schedulingGates: _gates,
    ...rest
  } = pod;
  const strip = (containers: Container[] | undefined) => containers?.map(({ resources: _resources, ...each }) => each);
  return { ...rest, containers: strip(rest.containers), initContainers: strip(rest.initContainers) };
}
