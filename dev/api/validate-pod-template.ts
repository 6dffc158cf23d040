import { type FieldError, forbidden, invalidValue, notSupported, notThere, required } from "./invalid.ts";
import { dnsLabelErrors, environmentNameErrors } from "./names.ts";
import type { Container, PodTemplate } from "./objects.ts";
import { annotationsErrors, duplicateNames, labelsErrors } from "./validate-meta.ts";

// What is checked here is what a template usually gets wrong; volumes' sources, probes, security contexts, affinity and
// the rest of Kubernetes' four thousand lines on pods are stored unchecked.

const pullPolicies = ["Always", "IfNotPresent", "Never"];
const messagePolicies = ["FallbackToLogsOnError", "File"];

function nameErrors(name: unknown, field: string): FieldError[] {
  if (!name) return [required(field)];
  return dnsLabelErrors(String(name)).map((why) => invalidValue(field, name, why));
}

function environmentErrors(container: Container, field: string): FieldError[] {
  return (container.env ?? []).flatMap(({ name, value, valueFrom }, i) => {
    const at = `${field}.env[${i}]`;
    if (!name) return [required(`${at}.name`)];
    const errors = environmentNameErrors(name).map((why) => invalidValue(`${at}.name`, name, why));
    const both = value && valueFrom && Object.keys(valueFrom).length > 0;
    return both
      ? [...errors, invalidValue(`${at}.valueFrom`, "", "may not be specified when `value` is not empty")]
      : errors;
  });
}

function mountErrors(container: Container, volumes: ReadonlySet<unknown>, field: string): FieldError[] {
  const mounts = (container.volumeMounts ?? []) as { name?: string; mountPath?: string }[];
  return mounts.flatMap(({ name, mountPath }, i) => {
    const at = `${field}.volumeMounts[${i}]`;
    if (!name) return [required(`${at}.name`)];
    const errors = volumes.has(name) ? [] : [notThere(`${at}.name`, name)];
    return mountPath ? errors : [...errors, required(`${at}.mountPath`)];
  });
}

function containerErrors(container: Container, volumes: ReadonlySet<unknown>, field: string): FieldError[] {
  const policy = container.terminationMessagePolicy;
  return [
    ...nameErrors(container.name, `${field}.name`),
    ...(container.image ? [] : [required(`${field}.image`)]),
    ...(messagePolicies.includes(String(policy))
      ? []
      : [notSupported(`${field}.terminationMessagePolicy`, policy, ["File", "FallbackToLogsOnError"])]),
    ...environmentErrors(container, field),
    ...mountErrors(container, volumes, field),
    ...(pullPolicies.includes(container.imagePullPolicy ?? "")
      ? []
      : [notSupported(`${field}.imagePullPolicy`, container.imagePullPolicy, pullPolicies)]),
  ];
}

function containersErrors(
  containers: readonly Container[],
  volumes: ReadonlySet<unknown>,
  field: string,
): FieldError[] {
  const doubled = duplicateNames(
    containers.map(({ name }) => name),
    (i) => `${field}[${i}].name`,
  );
  return containers.flatMap((container, i) => [
    ...containerErrors(container, volumes, `${field}[${i}]`),
    ...doubled.filter((error) => error.field === `${field}[${i}].name`),
  ]);
}

/** What is wrong with a pod template; `field` is where it stands, `spec.template` in a Job. */
export function podTemplateErrors(template: PodTemplate, field: string): FieldError[] {
  const { spec } = template;
  const at = `${field}.spec`;
  const volumeNames = (spec.volumes ?? []).map((volume) => volume.name as string | undefined);
  const volumes = new Set(volumeNames);
  return [
    ...labelsErrors(template.metadata.labels, `${field}.labels`),
    ...annotationsErrors(template.metadata.annotations, `${field}.annotations`),
    ...volumeNames.flatMap((name, i) => nameErrors(name, `${at}.volumes[${i}].name`)),
    ...duplicateNames(volumeNames, (i) => `${at}.volumes[${i}].name`),
    ...(spec.containers?.length
      ? containersErrors(spec.containers, volumes, `${at}.containers`)
      : [required(`${at}.containers`)]),
    ...containersErrors(spec.initContainers ?? [], volumes, `${at}.initContainers`),
    ...valueErrors(spec.restartPolicy, ["Always", "OnFailure", "Never"], `${at}.restartPolicy`),
    ...valueErrors(spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], `${at}.dnsPolicy`),
    ...labelsErrors(spec.nodeSelector, `${at}.nodeSelector`),
    ...(spec.ephemeralContainers?.length
      ? [forbidden(`${at}.ephemeralContainers`, "ephemeral containers not allowed in pod template")]
      : []),
  ];
}

function valueErrors(value: unknown, allowed: readonly string[], field: string): FieldError[] {
  return allowed.includes(String(value)) ? [] : [notSupported(field, value, allowed)];
}
