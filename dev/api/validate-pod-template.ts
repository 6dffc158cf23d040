import { type FieldError, forbidden, invalidValue, notSupported, notThere, required } from "./invalid.ts";
import { numberOf } from "./json.ts";
import { dnsLabelErrors, dnsSubdomainErrors, environmentNameErrors } from "./names.ts";
import type { Container, PodTemplate } from "./objects.ts";
import { quantityNanos } from "./quantity.ts";
import { annotationsErrors, duplicateNames, labelsErrors } from "./validate-meta.ts";

// What is checked here is what a template usually gets wrong; volumes' sources, probes, security contexts, affinity and
// the rest of Kubernetes' four thousand lines on pods are stored unchecked.

type Resources = NonNullable<Container["resources"]>;

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
    ...resourceErrors(container.resources ?? {}, `${field}.resources`),
  ];
}

/** Amounts below zero, and more asked for than allowed. */
function resourceErrors({ limits = {}, requests = {} }: Resources, field: string): FieldError[] {
  const negatives = Object.entries({ limits, requests }).flatMap(([list, amounts]) =>
    Object.entries(amounts)
      .filter(([, amount]) => quantityNanos(amount) < 0n)
      .map(([name, amount]) => invalidValue(`${field}.${list}[${name}]`, amount, "must be greater than or equal to 0")),
  );
  const excesses = Object.entries(requests).flatMap(([name, amount]) => {
    const limit = limits[name];
    if (limit === undefined || quantityNanos(amount) <= quantityNanos(limit)) return [];
    return [invalidValue(`${field}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`)];
  });
  return [...negatives, ...excesses];
}

function containersErrors(
  containers: readonly Container[],
  volumes: ReadonlySet<unknown>,
  field: string,
  others: readonly Container[] = [],
): FieldError[] {
  // A name may not be that of a container of another list either.
  const doubled = duplicateNames(
    [...others, ...containers].map(({ name }) => name),
    (i) => `${field}[${i - others.length}].name`,
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
    ...containersErrors(spec.initContainers ?? [], volumes, `${at}.initContainers`, spec.containers),
    ...valueErrors(spec.restartPolicy, ["Always", "OnFailure", "Never"], `${at}.restartPolicy`),
    ...valueErrors(spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], `${at}.dnsPolicy`),
    ...labelsErrors(spec.nodeSelector, `${at}.nodeSelector`),
    ...(spec.serviceAccountName ? dnsSubdomainErrors(String(spec.serviceAccountName)) : []).map((why) =>
      invalidValue(`${at}.serviceAccountName`, spec.serviceAccountName, why),
    ),
    ...(numberOf(spec.activeDeadlineSeconds) < 1
      ? [
          invalidValue(
            `${at}.activeDeadlineSeconds`,
            spec.activeDeadlineSeconds,
            "must be between 1 and 2147483647, inclusive",
          ),
        ]
      : []),
    ...(spec.ephemeralContainers?.length
      ? [forbidden(`${at}.ephemeralContainers`, "ephemeral containers not allowed in pod template")]
      : []),
  ];
}

function valueErrors(value: unknown, allowed: readonly string[], field: string): FieldError[] {
  return allowed.includes(String(value)) ? [] : [notSupported(field, value, allowed)];
}
