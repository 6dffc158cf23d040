import { createObject } from "./create.ts";
import { invalidValue, refuseInvalid } from "./invalid.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { settle } from "./settle.ts";
import { ApiError, badRequest, conflict, modified, notFound } from "./status.ts";
import type { Store } from "./store.ts";
import { strategyOf } from "./strategy.ts";

interface Target<T extends KubeObject> {
  store: Store;
  resource: Resource<T>;
  namespace: string | undefined;
  name: string;
  subresource?: string | undefined;
}

/** Refuses an object whose name is not the one in the path. */
function refuseOtherName(target: Target<KubeObject>, object: KubeObject): void {
  const given = object.metadata?.name;
  if (!given) {
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  }
  if (given !== target.name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${target.name})`);
  }
  const { namespace } = object.metadata;
  if (namespace && target.namespace !== undefined && namespace !== target.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

function storageConflict({ resource, namespace, name }: Target<KubeObject>, given: string, found: string): ApiError {
  const key = `/registry/${resource.plural}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
  return conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${given}, UID in object meta: ${found}`,
  );
}

/** Refuses a write that was made for another version of the object, or for none where one is needed. */
function refuseOtherVersion<T extends KubeObject>(target: Target<T>, given: T, before: T): void {
  const version = given.metadata.resourceVersion ?? "";
  if (version !== "" && !/^\d+$/.test(version)) {
    // A real server has no better answer than this one either.
    throw new ApiError(500, "", `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
  }
  if (version === "" && !strategyOf(target.resource).updatesUnconditionally) {
    const error = invalidValue("metadata.resourceVersion", 0, "must be specified for an update");
    refuseInvalid({ ...target.resource, kind: target.resource.plural }, target.name, [error]);
  }
  if (version !== "" && version !== before.metadata.resourceVersion) throw modified(target.resource, target.name);
}

/** Replaces an object as PUT does, or its status; returns it as stored and whether it is new. */
export function replaceObject<T extends KubeObject>(
  target: Target<T>,
  given: T,
  { dryRun = false, isPatch = false } = {},
): { object: T; isNew: boolean } {
  const { store, resource, namespace, name } = target;
  refuseOtherName(target, given);
  const strategy = strategyOf(resource);
  const before = store.get(resource, namespace, name);
  const uid = given.metadata.uid;
  // A patch is made of the stored object, so that another uid in it is a change and no condition.
  if (!isPatch && uid && uid !== before?.metadata.uid && (before || strategy.createsOnUpdate)) {
    throw storageConflict(target, uid, before?.metadata.uid ?? "");
  }
  if (!before) {
    if (!strategy.createsOnUpdate) throw notFound(resource, name);
    return { object: createObject(store, resource, namespace, given, dryRun), isNew: true };
  }
  refuseOtherVersion(target, given, before);
  return { object: writeOver(target, given, before, dryRun), isNew: false };
}

/** Writes a changed object over the stored one, both whole; what the server itself owns is kept. */
function writeOver<T extends KubeObject>(target: Target<T>, given: T, before: T, dryRun: boolean): T {
  const { store, resource, name, subresource } = target;
  const strategy = strategyOf(resource);
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = before.metadata;
  const {
    managedFields: _managed,
    selfLink: _link,
    ...metadata
  } = given.metadata as typeof given.metadata & Record<string, unknown>;
  const owned = {
    ...metadata,
    ...(before.metadata.namespace && { namespace: before.metadata.namespace }),
    uid: given.metadata.uid || uid,
    creationTimestamp,
    ...(generation !== undefined && { generation }),
    ...(deletionTimestamp && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
    resourceVersion: before.metadata.resourceVersion,
  };
  const filled = strategy.fill({ ...given, metadata: owned } as T);
  if (subresource === "status") {
    const next = { ...filled, ...("spec" in before && { spec: before.spec }) };
    return dryRun ? next : store.update(resource, next);
  }
  const prepared = strategy.prepareUpdate(filled, before);
  refuseInvalid(resource, name, strategy.updateErrors(prepared, before));
  return dryRun ? prepared : settle(store, resource, prepared);
}
