import { parseFieldSelector } from "./field-selector.ts";
import { parseLabelSelector } from "./label-selector.ts";
import type { KubeObject } from "./objects.ts";
import { booleanOf, integerOf, refuseUnknownParameters } from "./query.ts";
import { apiVersionOf, type Resource } from "./resources.ts";
import { ApiError, badRequest, unmodelled } from "./status.ts";
import type { Store } from "./store.ts";

/** What a GET of a collection asks for. */
export interface ListOptions {
  matches: (object: KubeObject) => boolean;
  isSelective: boolean;
  limit: number;
  startAfter?: string;
  resourceVersion: string;
  timeoutSeconds?: number;
  watch: boolean;
}

const known = [
  "allowWatchBookmarks",
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "pretty",
  "resourceVersion",
  "resourceVersionMatch",
  "timeoutSeconds",
  "watch",
];

/** Reads the parameters of a list or a watch; throws 400 and 501. */
export function listOptions(resource: Resource, query: URLSearchParams): ListOptions {
  refuseUnknownParameters(query, known);
  const labels = query.get("labelSelector") ?? "";
  const fields = query.get("fieldSelector") ?? "";
  const matchesLabels = parseLabelSelector(labels);
  const matchesFields = parseFieldSelector(resource, fields);
  const resourceVersion = query.get("resourceVersion") ?? "";
  const watch = booleanOf(query, "watch");
  refuseVersion(resourceVersion, query.get("resourceVersionMatch"), watch);
  const token = query.get("continue");
  const timeoutSeconds = integerOf(query, "timeoutSeconds");
  return {
    matches: (object) => matchesLabels(object.metadata.labels ?? {}) && matchesFields(object),
    isSelective: labels !== "" || fields !== "",
    limit: Math.max(0, integerOf(query, "limit") ?? 0),
    ...(token && { startAfter: readToken(token) }),
    resourceVersion,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    watch,
  };
}

function refuseVersion(version: string, match: string | null, watch: boolean): void {
  if (match && !(match === "NotOlderThan" && version !== "")) throw unmodelled(`resourceVersionMatch=${match}`);
  if (version === "" || /^\d+$/.test(version)) return;
  const quoted = JSON.stringify(version);
  const why = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
  // A watch meets it deeper inside the server, where it is nobody's fault.
  throw watch ? new ApiError(500, "", why) : badRequest(`invalid resource version: ${why}`);
}

const keyOf = (object: KubeObject, namespace: string | undefined) =>
  namespace === undefined && object.metadata.namespace !== undefined
    ? `${object.metadata.namespace}/${object.metadata.name}`
    : object.metadata.name;

// The token that a real server makes: where to go on, and at which version the list began.
function writeToken(key: string, revision: number): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${key}\0` })).toString("base64url");
}

function readToken(token: string): string {
  try {
    const { start } = JSON.parse(Buffer.from(token, "base64url").toString()) as { start: string };
    return start.slice(0, -1);
  } catch {
    throw badRequest("invalid continue token: continue key is not valid: illegal base64 data at input byte 0");
  }
}

/** A collection as GET answers it. A later page shows the present, not the moment of the first page. */
export function listObjects(store: Store, resource: Resource, namespace: string | undefined, options: ListOptions) {
  const { limit, startAfter, isSelective, resourceVersion } = options;
  const isAfter = (key: string) => (object: KubeObject) => keyOf(object, namespace) > key;
  const all = store.list(resource, namespace).filter(startAfter === undefined ? () => true : isAfter(startAfter));
  const selected = all.filter(options.matches);
  // "0" is answered from a cache that knows no pages.
  const isPaged = limit > 0 && resourceVersion !== "0" && selected.length >= limit;
  const page = isPaged ? selected.slice(0, limit) : selected;
  const last = page.at(-1);
  // A full page ends there: whether what follows is selected too is not looked at.
  const left = isPaged && last ? all.filter(isAfter(keyOf(last, namespace))).length : 0;
  const more = left > 0 && last && { continue: writeToken(keyOf(last, namespace), store.revision()) };
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(store.revision()),
      ...more,
      // What is left behind a selector is not counted.
      ...(more && !isSelective && { remainingItemCount: left }),
    },
    items: page.map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item),
  };
}
