import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import type { Store } from "./store.ts";

/** Stores a changed object, or removes it when it is being deleted and nothing holds it any more. */
export function settle<T extends KubeObject>(store: Store, resource: Resource<T>, object: T): T {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  const isHeld = (finalizers ?? []).length > 0 || (deletionGracePeriodSeconds ?? 0) > 0;
  if (!deletionTimestamp || isHeld) return store.update(resource, object);
  store.remove(resource, object);
  return object;
}

/** An object without one of its finalizers. */
export function withoutFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  const { finalizers, ...metadata } = object.metadata;
  const left = (finalizers ?? []).filter((name) => name !== finalizer);
  return { ...object, metadata: { ...metadata, ...(left.length > 0 && { finalizers: left }) } };
}
