import { isJsonObject, type Json } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import { EVENTS, JOBS, PODS, type Resource } from "./resources.ts";
import { badRequest } from "./status.ts";

/** Whether an object is selected. */
export type ObjectMatcher = (object: KubeObject) => boolean;

const everywhere = ["metadata.name", "metadata.namespace"];
const supported = new Map<Resource, readonly string[]>([
  [PODS, [...everywhere, "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "status.phase"]],
  [
    EVENTS,
    [
      ...everywhere,
      ...["kind", "namespace", "name", "uid", "apiVersion", "fieldPath"].map((field) => `involvedObject.${field}`),
      "reason",
      "type",
    ],
  ],
]);

// `status.successful` is counted as 0 where the field is absent.
const jobFields = [...everywhere, "status.successful"];

function valueAt(object: KubeObject, path: string): string {
  const at = path === "status.successful" ? "status.succeeded" : path;
  let value = object as unknown as Json | undefined;
  for (const name of at.split(".")) value = isJsonObject(value) ? value[name] : undefined;
  return String(value ?? (path === "status.successful" ? 0 : ""));
}

function notSupported(resource: Resource, field: string): Error {
  const named = resource.group === "batch" || resource.group === "coordination.k8s.io";
  return badRequest(
    resource === EVENTS || !named
      ? `field label not supported: ${field}`
      : `field label "${field}" not supported for ${resource.kind}`,
  );
}

/** Parses a field selector; throws 400 in the server's words for a field that this kind cannot be selected by. */
export function parseFieldSelector(resource: Resource, text: string): ObjectMatcher {
  const fields = resource === JOBS ? jobFields : (supported.get(resource) ?? everywhere);
  const matchers = text
    .split(",")
    .filter((term) => term !== "")
    .map((term): ObjectMatcher => {
      const [, field = "", operator = "", value = ""] = /^(.*?)(!=|==|=)(.*)$/.exec(term) ?? [];
      if (operator === "") throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      if (!fields.includes(field)) throw notSupported(resource, field);
      return (object) => (valueAt(object, field) === value) === (operator !== "!=");
    });
  return (object) => matchers.every((matches) => matches(object));
}
