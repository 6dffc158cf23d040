import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { alreadyExists } from "./status.ts";

/** One change of one object. */
export interface StoreEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  resource: Resource;
  object: KubeObject;
  /** The state before, for watchers that select by label. */
  before?: KubeObject;
  revision: number;
}

/** The objects of the cluster. Every change has its own revision, larger than all before it. */
export interface Store {
  get<T extends KubeObject>(resource: Resource<T>, namespace: string | undefined, name: string): T | undefined;
  /** In the order of namespace and name, as etcd's keys have it. */
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): T[];
  /** Throws 409 AlreadyExists. */
  create<T extends KubeObject>(resource: Resource<T>, object: T): T;
  /** Replaces; writes nothing when nothing changed, as the real storage does. */
  update<T extends KubeObject>(resource: Resource<T>, object: T): T;
  remove(resource: Resource, object: KubeObject): KubeObject;
  /** What happened after a revision, or undefined when that is no longer remembered. */
  since(revision: number): StoreEvent[] | undefined;
  subscribe(listener: (event: StoreEvent) => void): () => void;
  revision(): number;
}

const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;

function withRevision<T extends KubeObject>(object: T, revision: number): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** An empty store, in memory, that remembers so many changes for watches that begin in the past. */
export function createStore(rememberedChanges: number): Store {
  const kinds = new Map<Resource, Map<string, KubeObject>>();
  const listeners = new Set<(event: StoreEvent) => void>();
  const events: StoreEvent[] = [];
  let revision = 1;
  let forgotten = 1;

  const objectsOf = (resource: Resource) => {
    const found = kinds.get(resource) ?? new Map<string, KubeObject>();
    kinds.set(resource, found);
    return found;
  };

  const record = (event: StoreEvent) => {
    events.push(event);
    if (events.length > rememberedChanges) forgotten = events.shift()?.revision ?? forgotten;
    for (const listener of [...listeners]) listener(event);
  };

  const put = (resource: Resource, key: string, object: KubeObject, before?: KubeObject) => {
    revision += 1;
    const stored = withRevision(object, revision);
    objectsOf(resource).set(key, stored);
    record({ type: before ? "MODIFIED" : "ADDED", resource, object: stored, ...(before && { before }), revision });
    return stored;
  };

  return {
    get: <T extends KubeObject>(resource: Resource<T>, namespace: string | undefined, name: string) =>
      objectsOf(resource).get(keyOf(namespace, name)) as T | undefined,
    list: <T extends KubeObject>(resource: Resource<T>, namespace?: string) =>
      [...objectsOf(resource)]
        .filter(([key]) => namespace === undefined || key.startsWith(`${namespace}/`))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object as T),
    create: <T extends KubeObject>(resource: Resource<T>, object: T) => {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      if (objectsOf(resource).has(key)) throw alreadyExists(resource, object.metadata.name);
      return put(resource, key, object) as T;
    },
    update: <T extends KubeObject>(resource: Resource<T>, object: T) => {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      const before = objectsOf(resource).get(key);
      if (!before) throw new Error(`${resource.plural} ${key} is not there to be changed`);
      const same = isDeepStrictEqual(withRevision(object, 0), withRevision(before, 0));
      return (same ? before : put(resource, key, object, before)) as T;
    },
    remove: (resource, object) => {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      const before = objectsOf(resource).get(key) ?? object;
      revision += 1;
      const gone = withRevision(object, revision);
      objectsOf(resource).delete(key);
      record({ type: "DELETED", resource, object: gone, before, revision });
      return gone;
    },
    since: (after) => (after < forgotten ? undefined : events.filter((event) => event.revision > after)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    revision: () => revision,
  };
}
