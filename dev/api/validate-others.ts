import { type FieldError, invalidValue } from "./invalid.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "./names.ts";
import type { CoreEvent, Lease, Namespace } from "./objects.ts";
import { unmodelled } from "./status.ts";
import { metaErrors, metaUpdateErrors, negativeErrors } from "./validate-meta.ts";

function leaseSpecErrors({ spec }: Lease): FieldError[] {
  const seconds = spec.leaseDurationSeconds;
  return [
    ...(typeof seconds === "number" && seconds <= 0
      ? [invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0")]
      : []),
    ...negativeErrors(spec.leaseTransitions as number | undefined, "spec.leaseTransitions"),
  ];
}

/** What is wrong with a new Lease. */
export const leaseErrors = (lease: Lease) => [
  ...metaErrors(lease.metadata, true, dnsSubdomainErrors),
  ...leaseSpecErrors(lease),
];

/** What is wrong with a changed Lease. */
export const leaseUpdateErrors = (lease: Lease, before: Lease) => [
  ...metaUpdateErrors(lease.metadata, before.metadata),
  ...leaseSpecErrors(lease),
];

/** What is wrong with a new Namespace. */
export const namespaceErrors = (namespace: Namespace) => metaErrors(namespace.metadata, false, dnsLabelErrors);

/** What is wrong with a new Event: its metadata, and that it tells of another namespace. */
export function eventErrors(event: CoreEvent): FieldError[] {
  const { metadata, involvedObject } = event;
  // A real server then asks for an action, a reporting controller and its instance.
  if (event.eventTime) throw unmodelled("an Event with eventTime");
  const given = involvedObject?.namespace ?? "";
  const metadataErrors = metaErrors(metadata, true, dnsSubdomainErrors);
  // As on a real server: an event without a name is not looked at further.
  if (!metadata.name) return metadataErrors;
  return (given || "default") === metadata.namespace
    ? metadataErrors
    : [...metadataErrors, invalidValue("involvedObject.namespace", given, "does not match event.namespace")];
}
