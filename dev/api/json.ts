import { isJsonObject as isObject, type Json, type JsonObject } from "../../functions/core/json.ts";

export { type Json, type JsonObject, parseJsonExactly as parseJson } from "../../functions/core/json.ts";

/** A JSON number whose spelling JavaScript would change (1.0, or beyond 2^53), kept as its text. */
export type RawNumber = Json & { readonly rawJSON: string };

// TypeScript's library does not describe this part of ES2026 yet; Node 24 has it.
const { isRawJSON } = JSON as unknown as { isRawJSON(value: unknown): boolean };

/** Whether a value is a number kept as text. */
export const isRawNumber = (value: unknown): value is RawNumber => isRawJSON(value);

/** Whether a value is a JSON object, which neither a list nor a raw number is. */
export const isJsonObject = (value: unknown): value is JsonObject => isObject(value) && !isRawJSON(value);

/** A number, also one that is kept as text; NaN for anything else. */
export function numberOf(value: unknown): number {
  if (isRawNumber(value)) return Number(value.rawJSON);
  return typeof value === "number" ? value : Number.NaN;
}

/** The word Go's JSON decoder uses for the type of a value. */
export function goKindOf(value: Json): string {
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "array";
  if (isRawNumber(value)) return `number ${value.rawJSON}`;
  return value === null ? "null" : typeof value;
}
