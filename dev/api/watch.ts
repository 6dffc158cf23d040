import type { ServerResponse } from "node:http";
import type { ListOptions } from "./list.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { ApiError } from "./status.ts";
import type { Store, StoreEvent } from "./store.ts";

const defaultTimeoutSeconds = 1800;

/** Streams the changes of a collection as lines of JSON, until the client, the timeout or the server ends it. */
export function watchObjects(
  store: Store,
  resource: Resource,
  namespace: string | undefined,
  options: ListOptions,
  response: ServerResponse,
): void {
  const { matches, resourceVersion } = options;
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  const write = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);

  const concerns = (event: StoreEvent) =>
    event.resource === resource && (namespace === undefined || event.object.metadata.namespace === namespace);
  const forward = (event: StoreEvent) => {
    if (!concerns(event)) return;
    const was = event.before !== undefined && matches(event.before);
    // A deleted object is shown as it was, so its last state decides.
    const is = event.type === "DELETED" ? false : matches(event.object);
    if (is) write(was ? "MODIFIED" : "ADDED", event.object);
    else if (event.type === "DELETED" && was) write("DELETED", event.object);
    // What leaves the selection is shown as it was there, at the version of its leaving.
    else if (was && event.before) write("DELETED", withVersion(event.before, event.object.metadata.resourceVersion));
  };

  // Without a version, or with "0", a watch begins with what is there.
  if (resourceVersion === "" || resourceVersion === "0") {
    for (const object of store.list(resource, namespace).filter(matches)) write("ADDED", object);
  } else {
    const missed = store.since(Number(resourceVersion));
    if (!missed) {
      write("ERROR", expired(resourceVersion, store.revision()).status);
      response.end();
      return;
    }
    for (const event of missed) forward(event);
  }
  const unsubscribe = store.subscribe(forward);
  const timeout = setTimeout(() => response.end(), 1000 * (options.timeoutSeconds || defaultTimeoutSeconds));
  timeout.unref();
  response.on("close", () => {
    clearTimeout(timeout);
    unsubscribe();
  });
}

function withVersion(object: KubeObject, resourceVersion: string | undefined): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...(resourceVersion && { resourceVersion }) } };
}

const expired = (asked: string, current: number) =>
  new ApiError(410, "Expired", `too old resource version: ${asked} (${current})`);
