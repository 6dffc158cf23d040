import { secondsTime } from "./go-time.ts";
import { invalid, notSupported } from "./invalid.ts";
import { isJsonObject, type JsonObject, parseJson } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import { dryRunOf, integerOf, refuseBadTimeout, refuseUnknownParameters } from "./query.ts";
import { jsonError } from "./read-body.ts";
import { JOBS, NAMESPACES, PODS, type Resource } from "./resources.ts";
import { ApiError, badRequest, notFound, unmodelled } from "./status.ts";
import type { Store } from "./store.ts";

type Propagation = "Orphan" | "Background" | "Foreground";

/** What a DELETE asks for. */
export interface DeleteOptions {
  propagation?: Propagation;
  graceSeconds?: number;
  uid?: string;
  resourceVersion?: string;
  dryRun: boolean;
}

const known = ["dryRun", "gracePeriodSeconds", "propagationPolicy", "pretty", "timeout"];
const bodyFields = ["kind", "apiVersion", "dryRun", "gracePeriodSeconds", "propagationPolicy", "preconditions"];

/** Reads what a DELETE asks for, from its body or, without one, from its query; throws 400, 422 and 501. */
export function deleteOptions(query: URLSearchParams, text: string): DeleteOptions {
  refuseUnknownParameters(query, known);
  refuseBadTimeout(query);
  if (text !== "") return bodyOptions(text);
  const graceSeconds = integerOf(query, "gracePeriodSeconds");
  return {
    ...propagationOf(query.get("propagationPolicy")),
    ...(graceSeconds !== undefined && { graceSeconds }),
    dryRun: dryRunOf(query, "DeleteOptions"),
  };
}

function bodyOptions(text: string): DeleteOptions {
  let body: JsonObject;
  try {
    const json = parseJson(text);
    body = isJsonObject(json) ? json : {};
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${jsonError(text, error)}`);
  }
  const unknown = Object.keys(body).find((name) => !bodyFields.includes(name));
  if (unknown) throw unmodelled(`the delete option "${unknown}"`);
  const preconditions = isJsonObject(body.preconditions) ? body.preconditions : {};
  const { uid, resourceVersion } = preconditions;
  const dryRun = Array.isArray(body.dryRun) ? body.dryRun.map(String) : [];
  const grace = body.gracePeriodSeconds;
  return {
    ...propagationOf(body.propagationPolicy ?? null),
    ...(typeof grace === "number" && { graceSeconds: grace }),
    ...(typeof uid === "string" && { uid }),
    ...(typeof resourceVersion === "string" && { resourceVersion }),
    dryRun: dryRunOf(new URLSearchParams(dryRun.map((value): [string, string] => ["dryRun", value])), "DeleteOptions"),
  };
}

function propagationOf(value: unknown): { propagation?: Propagation } {
  if (value === null || value === "") return {};
  if (value === "Orphan" || value === "Background" || value === "Foreground") return { propagation: value };
  const error = notSupported("propagationPolicy", value, ["Foreground", "Background", "Orphan", "nil"]);
  throw invalid({ kind: "DeleteOptions", group: "meta.k8s.io" }, "", [error]);
}

/** Refuses a delete that was meant for another incarnation of the object; here the message names the kind. */
function refusePreconditions(resource: Resource, object: KubeObject, { uid, resourceVersion }: DeleteOptions): void {
  const { metadata } = object;
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  const refuse = (why: string) => {
    const details = { name: metadata.name, ...(resource.group && { group: resource.group }), kind: resource.kind };
    const message = `Operation cannot be fulfilled on ${kind} "${metadata.name}": ${why}`;
    return new ApiError(409, "Conflict", message, details);
  };
  if (uid !== undefined && uid !== metadata.uid) {
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

const dependentFinalizers = ["orphan", "foregroundDeletion"];

function finalizersFor(resource: Resource, object: KubeObject, propagation: Propagation | undefined): string[] {
  // For compatibility a Job leaves its pods alone unless it is told otherwise.
  const policy = propagation ?? (resource === JOBS ? "Orphan" : "Background");
  const others = (object.metadata.finalizers ?? []).filter((name) => !dependentFinalizers.includes(name));
  if (policy === "Orphan") return [...others, "orphan"];
  return policy === "Foreground" ? [...others, "foregroundDeletion"] : others;
}

/** What became of an object that was to be deleted. */
export interface Deleted {
  /** What is answered: the object while finalizers or a grace period hold it, else undefined and it is gone. */
  held?: KubeObject;
  uid: string;
}

/** Deletes an object, or marks it as being deleted where its finalizers or a pod's grace period hold it. */
export function deleteObject(
  store: Store,
  resource: Resource,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): Deleted {
  const object = store.get(resource, namespace, name);
  if (!object) throw notFound(resource, name);
  refusePreconditions(resource, object, options);
  const { uid } = object.metadata;
  if (resource === NAMESPACES) return { held: terminate(store, object, options.dryRun), uid };
  const finalizers = finalizersFor(resource, object, options.propagation);
  const podSeconds = (object as { spec?: { terminationGracePeriodSeconds?: number } }).spec
    ?.terminationGracePeriodSeconds;
  const graceSeconds = resource === PODS ? (options.graceSeconds ?? podSeconds ?? 30) : 0;
  // Asked again, it only ever ends sooner.
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  if (deletionTimestamp && graceSeconds >= deletionGracePeriodSeconds) return { held: object, uid };
  if (finalizers.length === 0 && graceSeconds === 0) {
    if (!options.dryRun) store.remove(resource, object);
    return { uid };
  }
  const held = markDeleted(object, finalizers, graceSeconds);
  return { held: options.dryRun ? held : store.update(resource, held), uid };
}

/** A namespace stays until it is empty. */
function terminate(store: Store, object: KubeObject, dryRun: boolean): KubeObject {
  const deletionTimestamp = object.metadata.deletionTimestamp ?? secondsTime(Date.now());
  const held = { ...object, metadata: { ...object.metadata, deletionTimestamp }, status: { phase: "Terminating" } };
  return dryRun ? held : store.update(NAMESPACES as Resource, held);
}

function markDeleted(object: KubeObject, finalizers: string[], graceSeconds: number): KubeObject {
  const { finalizers: _before, generation, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(generation !== undefined && { generation: generation + 1 }),
      deletionTimestamp: metadata.deletionTimestamp ?? secondsTime(Date.now() + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(finalizers.length > 0 && { finalizers }),
    },
  };
}

/** The text with which a real server warns who deletes a Job and says nothing of its pods. */
export const orphanWarning =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";
