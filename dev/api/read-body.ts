import { type Decoded, decode } from "./decode.ts";
import { invalid, invalidValue } from "./invalid.ts";
import { goKindOf, isJsonObject, type Json, parseJson } from "./json.ts";
import { apiVersionOf, RESOURCES, type Resource } from "./resources.ts";
import type { Schema } from "./schema.ts";
import { badRequest } from "./status.ts";

/** How a request wants fields treated that the server does not know. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Go's words for a text that is no JSON; its exact complaint about a wrong character is not imitated. */
export function jsonError(text: string, error: unknown): string {
  const at = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  const position = at === undefined ? text.length : Number(at);
  if (position >= text.length || /unterminated/i.test(String(error))) return "unexpected end of JSON input";
  return `invalid character '${text[position]}' looking for beginning of value`;
}

function summary(text: string): string {
  if (text === "") return "<empty>";
  const bytes = Buffer.from(text);
  const cut = bytes.length > 30 ? " ..." : "";
  return bytes.subarray(0, 30).toString(text.startsWith("{") ? "utf8" : "hex") + cut;
}

const typeMeta =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function parseTyped(text: string): Json {
  let json: Json;
  try {
    json = parseJson(text);
  } catch (error) {
    throw new Error(jsonError(text, error));
  }
  if (json === null) return {};
  if (!isJsonObject(json)) {
    throw new Error(`json: cannot unmarshal ${goKindOf(json).split(" ")[0]} into Go value of type ${typeMeta}`);
  }
  for (const field of ["apiVersion", "kind"]) {
    const value = json[field] ?? "";
    if (typeof value === "string") continue;
    throw new Error(
      `json: cannot unmarshal ${goKindOf(value).split(" ")[0]} into Go struct field .${field} of type string`,
    );
  }
  return json;
}

/** Reads the body of a request that creates or replaces an object; throws 400 in the server's words. */
export function readObject(schema: Schema, resource: Resource, text: string, validation: FieldValidation): Decoded {
  let json: Json;
  try {
    json = parseTyped(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind; json parse error: ${why} (${summary(text)})`,
    );
  }
  return decodeObject(schema, resource, json, validation);
}

/** Decodes JSON as an object of a resource, after a patch for example; unknown fields as `validation` says. */
export function decodeObject(schema: Schema, resource: Resource, json: Json, validation: FieldValidation): Decoded {
  const object = isJsonObject(json) ? json : {};
  const apiVersion = String(object.apiVersion || apiVersionOf(resource));
  const kind = String(object.kind || resource.kind);
  const cannot = (why: string) =>
    badRequest(`${kind} in version "${apiVersion.split("/").at(-1)}" cannot be handled as a ${resource.kind}: ${why}`);
  const given = RESOURCES.find((other) => other.kind === kind && apiVersionOf(other) === apiVersion);
  if (!given) {
    throw cannot(`no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`);
  }
  if (given !== resource) {
    throw cannot(`converting (v1.${kind}) to (${resource.goPackage}.${resource.kind}): unknown conversion`);
  }
  let decoded: Decoded;
  try {
    decoded = decode(schema, resource.schema, { ...object, apiVersion, kind });
  } catch (error) {
    throw cannot(error instanceof Error ? error.message : String(error));
  }
  if (validation === "Strict" && decoded.unknownFields.length > 0) {
    throw cannot(`strict decoding error: ${decoded.unknownFields.map((path) => `unknown field "${path}"`).join(", ")}`);
  }
  return validation === "Warn" ? decoded : { ...decoded, unknownFields: [] };
}

/** What a patch made of an object is refused in other words than an object that was sent. */
export function decodePatched(schema: Schema, resource: Resource, patched: Json, validation: FieldValidation): Decoded {
  const decoded = decodeObject(schema, resource, patched, validation === "Strict" ? "Warn" : validation);
  if (validation !== "Strict" || decoded.unknownFields.length === 0) return decoded;
  const why = `strict decoding error: ${decoded.unknownFields.map((path) => `unknown field "${path}"`).join(", ")}`;
  throw invalid({ kind: "", group: "" }, "", [invalidValue("patch", JSON.stringify(patched), why)]);
}
