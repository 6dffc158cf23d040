import { qualifiedPlural, type Resource } from "./resources.ts";

interface Cause {
  reason: string;
  message: string;
  field: string;
}

/** The Status object that a Kubernetes API server answers a failed request with. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Failure";
  message: string;
  reason?: string;
  details?: { name?: string; group?: string; kind?: string; causes?: Cause[]; retryAfterSeconds?: number };
  code: number;
}

/** A refusal in the API server's own words; `status` is the whole answer. */
export class ApiError extends Error {
  readonly status: Status;
  constructor(code: number, reason: string, message: string, details?: Status["details"]) {
    super(message);
    this.name = "ApiError";
    const base = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message } as const;
    this.status = { ...base, ...(reason && { reason }), ...(details && { details }), code };
  }
}

function detailsOf(resource: Resource, name: string): Status["details"] {
  return { name, ...(resource.group && { group: resource.group }), kind: resource.plural };
}

/** 400: the request itself is wrong. */
export const badRequest = (message: string) => new ApiError(400, "BadRequest", message);

/** 404: no object of that name. */
export const notFound = (resource: Resource, name: string) =>
  new ApiError(404, "NotFound", `${qualifiedPlural(resource)} "${name}" not found`, detailsOf(resource, name));

/** 404: nothing is served at that path. */
export const noSuchPath = () => new ApiError(404, "NotFound", "the server could not find the requested resource", {});

/** 405: not by this method. */
export const methodNotAllowed = () =>
  new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});

/** 409: the name is taken. */
export const alreadyExists = (resource: Resource, name: string) =>
  new ApiError(
    409,
    "AlreadyExists",
    `${qualifiedPlural(resource)} "${name}" already exists`,
    detailsOf(resource, name),
  );

/** 409: the object is not what the request took it for. */
export const conflict = (resource: Resource, name: string, why: string) =>
  new ApiError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedPlural(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );

/** The conflict of a write that was based on an older version of the object. */
export const modified = (resource: Resource, name: string) =>
  conflict(
    resource,
    name,
    "the object has been modified; please apply your changes to the latest version and try again",
  );

/** 403: the namespace is going away. */
export const terminatingNamespace = (resource: Resource, name: string, namespace: string) =>
  new ApiError(
    403,
    "Forbidden",
    `${qualifiedPlural(resource)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      ...detailsOf(resource, name),
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  );

const mediaTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/** 415: a body that is no JSON. */
export const unsupportedMediaType = () =>
  new ApiError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${mediaTypes}`,
  );

/** A PATCH in another format is refused earlier, by the router, and so in other words. */
export const unsupportedPatchType = () => new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});

/** 406: an answer in a form that is not to be had. */
export const notAcceptable = () =>
  new ApiError(406, "NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${mediaTypes}`, {});

/** 413: more bytes than the limit. */
export const bodyTooLarge = (limitBytes: number) =>
  new ApiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);

/** The answer to what a real server can do and the embedded cluster cannot: never a guess. */
export const unmodelled = (what: string) =>
  new ApiError(501, "NotImplemented", `the embedded cluster does not model ${what}`);
