import type { Container, JobSpec, PodSpec } from "./api/objects.ts";

// What has a meaning here, or whose meaning is lost without a lie about the run: a local process has no other security
// context, no limits and no service account. Everything else is refused by name.
const podFields = new Set([
  "automountServiceAccountToken",
  "containers",
  "dnsPolicy",
  "enableServiceLinks",
  "nodeSelector",
  "restartPolicy",
  "schedulerName",
  "securityContext",
  "serviceAccount",
  "serviceAccountName",
  "terminationGracePeriodSeconds",
]);

const containerFields = new Set([
  "args",
  "command",
  "env",
  "image",
  "imagePullPolicy",
  "name",
  "resources",
  "securityContext",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "workingDir",
]);

const jobFields = new Set([
  "activeDeadlineSeconds",
  "backoffLimit",
  "completionMode",
  "completions",
  "manualSelector",
  "parallelism",
  "podReplacementPolicy",
  "selector",
  "suspend",
  "template",
  "ttlSecondsAfterFinished",
]);

const fieldsBeyond = (object: object, known: ReadonlySet<string>, field: string) =>
  Object.keys(object)
    .filter((name) => !known.has(name))
    .map((name) => `${field}.${name} is not modelled`);

/** The fields of a Job's spec that a local process could not be true to, each with why. */
export function unrunnableFields(spec: JobSpec, field: string): string[] {
  const problems = fieldsBeyond(spec, jobFields, field);
  for (const name of ["parallelism", "completions"] as const) {
    if (spec[name] !== undefined && spec[name] !== 1) problems.push(`${field}.${name} must be 1`);
  }
  if (spec.completionMode === "Indexed") problems.push(`${field}.completionMode must be NonIndexed`);
  return [...problems, ...unrunnablePod(spec.template.spec, `${field}.template.spec`)];
}

function unrunnablePod(pod: PodSpec, field: string): string[] {
  const problems = fieldsBeyond(pod, podFields, field);
  if (pod.restartPolicy !== "Never") problems.push(`${field}.restartPolicy must be Never`);
  const [container, ...others] = pod.containers ?? [];
  if (!container || others.length > 0) return [...problems, `${field}.containers must hold one container`];
  return [...problems, ...unrunnableContainer(container, `${field}.containers[0]`)];
}

function unrunnableContainer(container: Container, field: string): string[] {
  const problems = fieldsBeyond(container, containerFields, field);
  if (!container.command?.length) problems.push(`${field}.command is needed: there is no image to take it from`);
  container.env?.forEach((variable, i) => {
    if (variable.valueFrom) problems.push(`${field}.env[${i}].valueFrom is not modelled`);
  });
  return problems;
}
