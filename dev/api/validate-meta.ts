import { isDeepStrictEqual } from "node:util";
import { duplicate, type FieldError, forbidden, invalidValue, required, tooLong } from "./invalid.ts";
import { numberOf } from "./json.ts";
import { dnsLabelErrors, labelValueErrors, qualifiedNameErrors } from "./names.ts";
import type { ObjectMeta, OwnerReference } from "./objects.ts";

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];
const unqualified = "name is neither a standard finalizer name nor is it fully qualified";
const annotationLimitBytes = 256 * 1024;

/** What is wrong with a name; nothing if it is right. */
export type NameRule = (name: string) => string[];

/** A prefix may end with a dash, since letters will follow; a real server masks that with a letter to check the rest. */
const prefixOf = (prefix: string) => (prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix);

/** What is wrong with labels. */
export function labelsErrors(labels: Record<string, string> | undefined, field: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedNameErrors(key).map((why) => invalidValue(field, key, why)),
    ...labelValueErrors(value).map((why) => invalidValue(field, value, why)),
  ]);
}

/** What is wrong with annotations. */
export function annotationsErrors(annotations: Record<string, string> | undefined, field: string): FieldError[] {
  const entries = Object.entries(annotations ?? {});
  // A key is checked in lower case, unlike a label's.
  const errors = entries.flatMap(([key]) =>
    qualifiedNameErrors(key.toLowerCase()).map((why) => invalidValue(field, key, why)),
  );
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return bytes > annotationLimitBytes ? [...errors, tooLong(field, annotationLimitBytes)] : errors;
}

/** As Go prints the struct, whatever the order in which the fields came. */
const inFieldOrder = ({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference) => ({
  apiVersion,
  kind,
  name,
  uid,
  controller,
  blockOwnerDeletion,
});

function ownersErrors(owners: readonly OwnerReference[], field: string): FieldError[] {
  let controller = "";
  return owners.flatMap((owner) => {
    const errors: FieldError[] = [];
    if (!owner.apiVersion) errors.push(invalidValue(`${field}.apiVersion`, "", "version must not be empty"));
    for (const name of ["kind", "name", "uid"] as const) {
      if (!owner[name]) errors.push(invalidValue(`${field}.${name}`, "", "must not be empty"));
    }
    if (!owner.controller) return errors;
    const current = `${owner.kind}/${owner.name}`;
    const message = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
    if (controller) errors.push(invalidValue(field, owners.map(inFieldOrder), message));
    else controller = current;
    return errors;
  });
}

/** What is wrong with an object's metadata when it is created. */
export function metaErrors(meta: ObjectMeta, namespaced: boolean, nameRule: NameRule): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const why of nameRule(prefixOf(meta.generateName))) {
      errors.push(invalidValue("metadata.generateName", meta.generateName, why));
    }
  }
  if (!meta.name) errors.push(required("metadata.name", "name or generateName is required"));
  else for (const why of nameRule(meta.name)) errors.push(invalidValue("metadata.name", meta.name, why));
  if (namespaced) {
    for (const why of dnsLabelErrors(meta.namespace ?? "")) {
      errors.push(invalidValue("metadata.namespace", meta.namespace, why));
    }
  } else if (meta.namespace) errors.push(forbidden("metadata.namespace", "not allowed on this type"));
  return [...errors, ...commonErrors(meta)];
}

function commonErrors(meta: ObjectMeta): FieldError[] {
  return [
    ...labelsErrors(meta.labels, "metadata.labels"),
    ...annotationsErrors(meta.annotations, "metadata.annotations"),
    ...ownersErrors(meta.ownerReferences ?? [], "metadata.ownerReferences"),
    ...(meta.finalizers ?? []).flatMap((finalizer) =>
      qualifiedNameErrors(finalizer).map((why) => invalidValue("metadata.finalizers", finalizer, why)),
    ),
    ...(meta.finalizers ?? []).flatMap((finalizer, i) =>
      finalizer.includes("/") || standardFinalizers.includes(finalizer)
        ? []
        : [invalidValue(`metadata.finalizers[${i}]`, finalizer, unqualified)],
    ),
  ];
}

/** What is wrong with an object's metadata when it is replaced. */
export function metaUpdateErrors(meta: ObjectMeta, before: ObjectMeta): FieldError[] {
  const errors = commonErrors(meta);
  for (const name of ["name", "namespace", "uid"] as const) {
    if (meta[name] === before[name]) continue;
    // The generic check and the type's own both look: the real answer carries the cause twice.
    const error = invalidValue(`metadata.${name}`, meta[name], "field is immutable");
    errors.unshift(error, ...(name === "uid" ? [error] : []));
  }
  return errors;
}

/** The error of a field that may not change, if it did. */
export function immutableErrors(value: unknown, before: unknown, field: string): FieldError[] {
  return isDeepStrictEqual(value, before) ? [] : [invalidValue(field, value ?? null, "field is immutable")];
}

/** The error of a number below zero. */
export function negativeErrors(value: unknown, field: string): FieldError[] {
  return numberOf(value) < 0 ? [invalidValue(field, value, "must be greater than or equal to 0")] : [];
}

/** The errors of names that occur twice, at the later one. */
export function duplicateNames(names: readonly (string | undefined)[], fieldAt: (i: number) => string): FieldError[] {
  return names.flatMap((name, i) =>
    name !== undefined && names.indexOf(name) < i ? [duplicate(fieldAt(i), name)] : [],
  );
}
