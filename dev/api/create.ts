import { randomInt, randomUUID } from "node:crypto";
import { secondsTime } from "./go-time.ts";
import { refuseInvalid } from "./invalid.ts";
import type { KubeObject, Namespace } from "./objects.ts";
import { NAMESPACES, type Resource } from "./resources.ts";
import { ApiError, alreadyExists, badRequest, notFound, terminatingNamespace } from "./status.ts";
import type { Store } from "./store.ts";
import { strategyOf } from "./strategy.ts";

const suffixLetters = "bcdfghjklmnpqrstvwxz2456789";
const longestBase = 58;

/** A name made of a prefix, as `generateName` asks for it. */
export function generateName(prefix: string): string {
  const letters = Array.from({ length: 5 }, () => suffixLetters[randomInt(suffixLetters.length)]);
  return prefix.slice(0, longestBase) + letters.join("");
}

/** Refuses to write into a namespace that is absent (404) or going away (403). */
function refuseNamespace(store: Store, resource: Resource, name: string, namespace: string): void {
  const found: Namespace | undefined = store.get(NAMESPACES, undefined, namespace);
  if (!found) throw notFound(NAMESPACES, namespace);
  if (found.status.phase === "Terminating") throw terminatingNamespace(resource, name, namespace);
}

/** Stores a decoded object as POST does, and returns it as stored; a rehearsal (`dryRun`) is not stored and has no version. */
export function createObject<T extends KubeObject>(
  store: Store,
  resource: Resource<T>,
  namespace: string | undefined,
  given: T,
  dryRun = false,
): T {
  const strategy = strategyOf(resource);
  const meta = given.metadata ?? {};
  if (meta.namespace !== undefined && namespace !== undefined && meta.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (namespace !== undefined) refuseNamespace(store, resource, meta.name ?? "", namespace);
  const name = meta.name || (meta.generateName ? generateName(meta.generateName) : "");
  const { resourceVersion: version, generation: _generation, deletionTimestamp: _deletion, ...kept } = meta;
  const { managedFields: _managed, selfLink: _link, ...metadata } = kept as typeof kept & Record<string, unknown>;
  const fresh = strategy.fill({
    ...given,
    metadata: {
      ...metadata,
      name,
      ...(namespace !== undefined && { namespace }),
      uid: randomUUID(),
      creationTimestamp: secondsTime(Date.now()),
    },
  } as T);
  const valid = strategy.prepareCreate(fresh);
  refuseInvalid(resource, name, strategy.createErrors(valid));
  // Once more, as when it is read from the storage.
  const prepared = strategy.fill(valid);
  if (version) throw new ApiError(500, "", "resourceVersion should not be set on objects to be created");
  if (!dryRun) return store.create(resource, prepared);
  if (store.get(resource, namespace, name)) throw alreadyExists(resource, name);
  return prepared;
}
