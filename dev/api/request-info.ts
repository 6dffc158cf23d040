import { CRONJOBS, EVENTS, JOBS, LEASES, NAMESPACES, PODS, RESOURCES, type Resource } from "./resources.ts";
import { noSuchPath, unmodelled } from "./status.ts";

/** Which object or collection a path under /api or /apis means. */
export interface RequestInfo {
  resource: Resource;
  namespace?: string;
  name?: string;
  subresource?: string;
}

const groups = new Map<string, readonly Resource[]>([
  ["/api/v1", [NAMESPACES, PODS, EVENTS]],
  ["/apis/batch/v1", [JOBS, CRONJOBS]],
  ["/apis/coordination.k8s.io/v1", [LEASES]],
]);

// The groups of which every kind is modelled: another name there is 404 on a real server too.
const whole = new Set(["/apis/batch/v1", "/apis/coordination.k8s.io/v1"]);

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw noSuchPath();
  }
}

/** Reads a path; undefined where it is none of the Kubernetes API. Throws 404 and 501 as Status. */
export function requestInfo(path: string): RequestInfo | undefined {
  const prefix = [...groups.keys()].find((root) => path === root || path.startsWith(`${root}/`));
  if (prefix === undefined) {
    if (/^\/apis?(\/|$)|^\/openapi/.test(path)) throw unmodelled(`the path ${path}`);
    return undefined;
  }
  // As the real server routes: on the decoded path, so that an escaped slash is a slash.
  const segments = path.slice(prefix.length).split("/").map(decoded).join("/").split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  const namespaced = segments[0] === "namespaces" && segments.length > 2;
  const [plural, name, subresource, extra] = namespaced ? segments.slice(2) : segments;
  const resource = groups.get(prefix)?.find((known) => known.plural === plural);
  const isRouted = resource && (resource.namespaced === namespaced || name === undefined);
  if (!isRouted || extra !== undefined) throw whole.has(prefix) ? noSuchPath() : unmodelled(`the path ${path}`);
  if (subresource !== undefined && !resource.subresources.includes(subresource)) {
    throw whole.has(prefix) ? noSuchPath() : unmodelled(`the subresource ${resource.plural}/${subresource}`);
  }
  return {
    resource,
    ...(namespaced && { namespace: segments[1] ?? "" }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  };
}

/** The resource of an owner reference, if it is modelled. */
export const resourceOfKind = (kind: string) => RESOURCES.find((resource) => resource.kind === kind);
