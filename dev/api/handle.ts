import type { IncomingMessage } from "node:http";
import { inFormAskedFor, refuseOtherAccept } from "./accept.ts";
import { mediaTypeOf, readBody, refuseOtherMediaType } from "./body.ts";
import { createObject } from "./create.ts";
import { deleteObject, deleteOptions, orphanWarning } from "./delete.ts";
import { listObjects, listOptions } from "./list.ts";
import type { KubeObject } from "./objects.ts";
import { applyPatch } from "./patch.ts";
import { refuseUnknownParameters, writeOptions } from "./query.ts";
import { decodePatched, readObject } from "./read-body.ts";
import type { Reply } from "./reply.ts";
import type { RequestInfo } from "./request-info.ts";
import { JOBS, type Verb } from "./resources.ts";
import type { Schema } from "./schema.ts";
import { methodNotAllowed, notFound, unmodelled } from "./status.ts";
import type { Store } from "./store.ts";
import { strategyOf } from "./strategy.ts";
import { replaceObject } from "./update.ts";
import { watchObjects } from "./watch.ts";

/** What every handler works on. */
export interface Api {
  store: Store;
  schema: Schema;
}

interface Call extends Api, RequestInfo {
  request: IncomingMessage;
  query: URLSearchParams;
}

const itemVerbs: Readonly<Record<string, Verb>> = { GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };

/** Answers a request for an object or a collection; throws ApiError. */
export async function handleObjects(
  api: Api,
  info: RequestInfo,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Reply> {
  const call: Call = { ...api, ...info, request, query };
  const method = request.method ?? "";
  if (info.name === undefined) return handleCollection(call, method);
  const verb = itemVerbs[method];
  if (!verb || (info.subresource !== undefined && verb === "delete")) throw methodNotAllowed();
  refuseVerb(call, verb);
  // A real server checks forty rules of what a controller may say of a Job.
  if (info.subresource && info.resource === JOBS && verb !== "get") throw unmodelled("writing the status of a Job");
  refuseOtherAccept(request.headers.accept);
  if (verb === "get") return get(call);
  return verb === "delete" ? remove(call, info.name) : write(call, info.name, verb);
}

async function handleCollection(call: Call, method: string): Promise<Reply> {
  const { store, resource, namespace, request, query } = call;
  if (method === "DELETE") throw unmodelled("deleting a whole collection");
  if (method !== "GET" && method !== "POST") throw methodNotAllowed();
  // A collection of all namespaces can be read and not added to.
  if (method === "POST" && resource.namespaced && namespace === undefined) throw methodNotAllowed();
  refuseVerb(call, method === "GET" ? "list" : "create");
  refuseOtherAccept(request.headers.accept);
  if (method === "POST") return create(call);
  const options = listOptions(resource, query);
  if (options.watch) return { stream: (response) => watchObjects(store, resource, namespace, options, response) };
  return { status: 200, json: listObjects(store, resource, namespace, options) };
}

function refuseVerb({ resource }: Call, verb: Verb): void {
  if (!resource.verbs.includes(verb)) throw unmodelled(`the verb ${verb} for ${resource.plural}`);
}

function get({ store, resource, namespace, name = "", query }: Call): Reply {
  refuseUnknownParameters(query, ["pretty", "resourceVersion"]);
  const object = store.get(resource, namespace, name);
  if (!object) throw notFound(resource, name);
  return { status: 200, json: object };
}

const unknownWarnings = (paths: readonly string[]) => paths.map((path) => `unknown field "${path}"`);

async function create({ store, schema, resource, namespace, request, query }: Call): Promise<Reply> {
  const { dryRun, fieldValidation } = writeOptions(query, "CreateOptions");
  const text = await readBody(request);
  refuseOtherMediaType(request);
  const { object, unknownFields } = readObject(schema, resource, text, fieldValidation);
  const stored = createObject(store, resource, namespace, object as unknown as KubeObject, dryRun);
  const warnings = [...unknownWarnings(unknownFields), ...strategyOf(resource).warnings(stored)];
  return { status: 201, json: inFormAskedFor(request.headers.accept, stored), warnings };
}

async function write(call: Call, name: string, verb: "update" | "patch" | Verb): Promise<Reply> {
  const { store, schema, resource, namespace, subresource, request, query } = call;
  const { dryRun, fieldValidation } = writeOptions(query, verb === "patch" ? "PatchOptions" : "UpdateOptions");
  const text = await readBody(request);
  const target = { store, resource, namespace, name, subresource };
  if (verb === "update") {
    refuseOtherMediaType(request);
    const { object, unknownFields } = readObject(schema, resource, text, fieldValidation);
    const written = replaceObject(target, object as unknown as KubeObject, { dryRun });
    return { status: written.isNew ? 201 : 200, json: written.object, warnings: unknownWarnings(unknownFields) };
  }
  // A patch of the wrong type is refused whether or not there is something to patch.
  applyPatch({}, mediaTypeOf(request), text);
  const before = store.get(resource, namespace, name);
  if (!before) throw notFound(resource, name);
  const patched = applyPatch(before as never, mediaTypeOf(request), text);
  const { object, unknownFields } = decodePatched(schema, resource, patched, fieldValidation);
  const written = replaceObject(target, object as unknown as KubeObject, { dryRun, isPatch: true });
  return { status: 200, json: written.object, warnings: unknownWarnings(unknownFields) };
}

async function remove({ store, resource, namespace, request, query }: Call, name: string): Promise<Reply> {
  const text = await readBody(request);
  if (text !== "") refuseOtherMediaType(request);
  const options = deleteOptions(query, text);
  const { held, uid } = deleteObject(store, resource, namespace, name, options);
  const warnings = resource === JOBS && options.propagation === undefined ? [orphanWarning] : [];
  if (held) return { status: 200, json: held, warnings };
  const details = { name, ...(resource.group && { group: resource.group }), kind: resource.plural, uid };
  return {
    status: 200,
    json: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details },
    warnings,
  };
}
