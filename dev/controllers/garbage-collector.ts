import { deleteObject } from "../api/delete.ts";
import type { KubeObject } from "../api/objects.ts";
import { resourceOfKind } from "../api/request-info.ts";
import { RESOURCES, type Resource } from "../api/resources.ts";
import { settle, withoutFinalizer } from "../api/settle.ts";
import type { Store } from "../api/store.ts";
import { createWorkQueue } from "./work-queue.ts";

interface Found {
  resource: Resource;
  object: KubeObject;
}

const keyOf = (resource: Resource, { metadata }: KubeObject) =>
  `${resource.plural}/${metadata.namespace ?? ""}/${metadata.name}`;

function dependentsOf(store: Store, uid: string): Found[] {
  return RESOURCES.flatMap((resource) =>
    store
      .list(resource)
      .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
      .map((object) => ({ resource, object })),
  );
}

/** Deletes what has lost its owners, and carries out the Orphan and Foreground ways of deleting. */
export function startGarbageCollector(store: Store): () => void {
  const queue = createWorkQueue("garbage collector", (key) => {
    const [plural, namespace = "", name = ""] = key.split("/");
    const resource = RESOURCES.find((each) => each.plural === plural);
    const object = resource && store.get(resource, namespace || undefined, name);
    if (!object) return;
    if (object.metadata.deletionTimestamp) finishDeletion(store, resource, object);
    else collectOrphan(store, resource, object);
  });
  const unsubscribe = store.subscribe(({ type, resource, object }) => {
    if (type !== "DELETED") queue.add(keyOf(resource, object));
    // What waited for this one, and what belonged to it.
    else {
      for (const each of dependentsOf(store, object.metadata.uid)) queue.add(keyOf(each.resource, each.object));
      for (const { kind, name } of object.metadata.ownerReferences ?? []) {
        const owner = resourceOfKind(kind);
        if (owner) queue.add(`${owner.plural}/${object.metadata.namespace ?? ""}/${name}`);
      }
    }
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}

/** An object of which every owner is gone is deleted; owners of kinds that are not stored here count as present. */
function collectOrphan(store: Store, resource: Resource, object: KubeObject): void {
  const owners = object.metadata.ownerReferences ?? [];
  const isGone = owners.every(({ kind, name, uid }) => {
    const owner = resourceOfKind(kind);
    return owner !== undefined && store.get(owner, object.metadata.namespace, name)?.metadata.uid !== uid;
  });
  if (owners.length === 0 || !isGone) return;
  const { namespace, name } = object.metadata;
  deleteObject(store, resource, namespace, name, { propagation: "Background", dryRun: false });
}

function finishDeletion(store: Store, resource: Resource, object: KubeObject): void {
  const finalizers = object.metadata.finalizers ?? [];
  const dependents = dependentsOf(store, object.metadata.uid);
  if (finalizers.includes("orphan")) {
    for (const each of dependents) letGo(store, each, object.metadata.uid);
    settle(store, resource, withoutFinalizer(object, "orphan"));
  } else if (finalizers.includes("foregroundDeletion")) {
    for (const { resource: kind, object: each } of dependents) {
      const { namespace, name, deletionTimestamp } = each.metadata;
      if (!deletionTimestamp) deleteObject(store, kind, namespace, name, { propagation: "Foreground", dryRun: false });
    }
    if (dependents.length === 0) settle(store, resource, withoutFinalizer(object, "foregroundDeletion"));
  }
}

function letGo(store: Store, { resource, object }: Found, ownerUid: string): void {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const left = ownerReferences.filter(({ uid }) => uid !== ownerUid);
  store.update(resource, { ...object, metadata: { ...metadata, ...(left.length > 0 && { ownerReferences: left }) } });
}
