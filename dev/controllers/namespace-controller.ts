import { deleteObject } from "../api/delete.ts";
import { NAMESPACES, RESOURCES } from "../api/resources.ts";
import type { Store } from "../api/store.ts";
import { createWorkQueue } from "./work-queue.ts";

/** Empties a namespace that is being deleted, and then removes it. */
export function startNamespaceController(store: Store): () => void {
  const queue = createWorkQueue("namespace controller", (name) => {
    const namespace = store.get(NAMESPACES, undefined, name);
    if (namespace?.status.phase !== "Terminating") return;
    const contents = RESOURCES.filter(({ namespaced }) => namespaced).flatMap((resource) =>
      store.list(resource, name).map((object) => ({ resource, object })),
    );
    for (const { resource, object } of contents) {
      if (object.metadata.deletionTimestamp) continue;
      deleteObject(store, resource, name, object.metadata.name, { propagation: "Background", dryRun: false });
    }
    // Each object that goes away brings us back here.
    if (contents.length === 0) store.remove(NAMESPACES, namespace);
  });
  const unsubscribe = store.subscribe(({ resource, object: { metadata } }) => {
    queue.add(resource === NAMESPACES ? metadata.name : (metadata.namespace ?? ""));
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}
