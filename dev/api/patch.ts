import { isJsonObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { jsonError } from "./read-body.ts";
import { badRequest, unmodelled, unsupportedPatchType } from "./status.ts";

const mergePatch = "application/merge-patch+json";
const strategicPatch = "application/strategic-merge-patch+json";

// Where these occur in a patch, a strategic merge does something else than a plain one.
const listsOfObjects = (patch: Json): boolean =>
  Array.isArray(patch) ? patch.some(isJsonObject) : isJsonObject(patch) && Object.values(patch).some(listsOfObjects);
const directives = (patch: Json): boolean =>
  isJsonObject(patch) && Object.entries(patch).some(([key, value]) => key.startsWith("$") || directives(value));

/** RFC 7396. */
function merge(target: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const out: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else out[name] = merge(out[name] ?? null, value);
  }
  return out;
}

/** Applies the body of a PATCH to an object; throws 400, 415 and, for kinds of patch that are not modelled, 501. */
export function applyPatch(object: Json, mediaType: string, text: string): Json {
  if (/^application\/(json-patch\+json|apply-patch\+(yaml|cbor))$/.test(mediaType)) {
    throw unmodelled(`a patch of type ${mediaType}`);
  }
  if (mediaType !== mergePatch && mediaType !== strategicPatch) throw unsupportedPatchType();
  let patch: Json;
  try {
    patch = parseJson(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${jsonError(text, error)}`);
  }
  if (patch === null) return object;
  if (!isJsonObject(patch)) {
    const kind = Array.isArray(patch) ? "array" : typeof patch;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    );
  }
  if (mediaType === strategicPatch && (listsOfObjects(patch) || directives(patch))) {
    throw unmodelled("a strategic merge patch with lists of objects or directives");
  }
  return merge(object, patch);
}
