import type { Resource } from "./resources.ts";
import { ApiError } from "./status.ts";

type Kind = "Required" | "Invalid" | "NotSupported" | "NotFound" | "Duplicate" | "TooLong" | "Forbidden";

/** One thing wrong with one field, in the words of Kubernetes' field errors. */
export interface FieldError {
  reason: `FieldValue${Kind}`;
  field: string;
  message: string;
}

/** A value as field errors print it: strings quoted, the rest as JSON. */
const shown = (value: unknown) => JSON.stringify(value);

/** A map as Go prints it, in the order of its keys. */
export const inKeyOrder = (map: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

/** A field that must be there. */
export const required = (field: string, detail = ""): FieldError => ({
  reason: "FieldValueRequired",
  field,
  message: detail ? `Required value: ${detail}` : "Required value",
});

/** A value that is not allowed, and why. */
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${shown(value)}: ${detail}`,
});

/** A value that is none of those allowed. */
export const notSupported = (field: string, value: unknown, allowed: readonly string[]): FieldError => ({
  reason: "FieldValueNotSupported",
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${allowed.map(shown).join(", ")}`,
});

/** A name that nothing has. */
export const notThere = (field: string, value: unknown): FieldError => ({
  reason: "FieldValueNotFound",
  field,
  message: `Not found: ${shown(value)}`,
});

/** A value that may occur once and occurs again. */
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: "FieldValueDuplicate",
  field,
  message: `Duplicate value: ${shown(value)}`,
});

/** More bytes than allowed. */
export const tooLong = (field: string, limitBytes: number): FieldError => ({
  reason: "FieldValueTooLong",
  field,
  message: `Too long: may not be more than ${limitBytes} bytes`,
});

/** A field that may not be there. */
export const forbidden = (field: string, detail: string): FieldError => ({
  reason: "FieldValueForbidden",
  field,
  message: `Forbidden: ${detail}`,
});

/** 422 Invalid: the message names each error once, the causes every time it was found, as the real server does. */
export function invalid(kind: { kind: string; group: string }, name: string, errors: readonly FieldError[]): ApiError {
  const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const all = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const qualified = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  return new ApiError(422, "Invalid", `${qualified} "${name}" is invalid: ${all}`, {
    ...(name && { name }),
    ...(kind.group && { group: kind.group }),
    ...(kind.kind && { kind: kind.kind }),
    causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
  });
}

/** Throws the errors found in an object, if there are any. */
export function refuseInvalid(resource: Resource, name: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(resource, name, errors);
}
