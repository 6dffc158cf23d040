/** JSON as it travels: what the API server says of an object is kept whole, fields unknown to us included. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// TypeScript's libraries do not yet know JSON.rawJSON and the reviver's source text (ECMAScript 2026); Node 24 has both.
type RawJsonSupport = { rawJSON(text: string): Json };
type SourceReviver = (this: unknown, key: string, value: Json, context: { source?: string }) => Json;

/** The text of UTF-8 bytes. Throws a TypeError when they are none. */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** The value of a JSON text. Throws a SyntaxError. */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Deeper than any request or event that somebody wrote; whatever walks such a value later needs no guard of its own. */
const maxDepth = 64;

/** The value of a JSON text from outside. Throws a SyntaxError, also for a key `__proto__` and for nesting over 64 deep. */
export function parseForeignJson(text: string): Json {
  const value = parseJson(text);
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new SyntaxError(`nested over ${maxDepth} deep`);
    level = level.flatMap((item) => {
      if (typeof item !== "object" || item === null) return [];
      if (Object.hasOwn(item, "__proto__")) throw new SyntaxError("has a key __proto__");
      return Object.values(item);
    });
  }
  return value;
}

/** A number that JSON.parse may not give back as it stands: a fraction, an exponent, -0, 16 digits or more. */
const mayChange = /(?:^|"\s*:|[[,])\s*(?:-0|-?\d+[.eE]|-?\d{16})/;

/**
 * The value of a JSON text whose numbers come out of JSON.stringify as they went in: `1.0` stays `1.0`, and an int64
 * above 2^53 keeps its last digits. Throws a SyntaxError.
 */
export function parseJsonExactly(text: string): Json {
  if (!mayChange.test(text)) return parseJson(text); // a reviver is called for every value: a tenth of a trigger's time
  const keepSource: SourceReviver = (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source
      ? (JSON as unknown as RawJsonSupport).rawJSON(source)
      : value;
  return JSON.parse(text, keepSource as Parameters<typeof JSON.parse>[1]) as Json;
}

/** Whether a JSON value is an object (no array, no null). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
