import * as z from "zod/mini";
import { FAULTS, type FaultCode } from "./errors.ts";
import type { Route } from "./route.ts";
import { type Header, OPERATIONS, type Operation, type Parameters } from "./routes/openapi-operations.ts";

/**
 * The OpenAPI 3.1 document of these routes. Schemas are those that check requests, made into JSON Schema; what can be
 * answered wrongly comes from the catalogue of errors. Throws when a route is not described, or something else is.
 */
export function describeApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  const described = new Set<string>();
  for (const { path, methods } of routes) {
    const operations: Record<string, object> = {};
    for (const method of Object.keys(methods)) {
      const key = `${method} ${path}`;
      const operation = OPERATIONS[key];
      if (!operation) throw new Error(`${key} is not described`);
      described.add(key);
      operations[method.toLowerCase()] = describeOperation(operation);
      if (method === "GET") operations.head = describeHead(operation);
    }
    paths[path.replace(/:(\w+)/g, "{$1}")] = operations;
  }
  const unknown = Object.keys(OPERATIONS).filter((key) => !described.has(key));
  if (unknown.length > 0) throw new Error(`described but no route: ${unknown.join(", ")}`);
  return {
    openapi: "3.1.1",
    info: {
      title: "sync-trigger",
      version: "1",
      summary: "Runs an existing Kubernetes CronJob now.",
      description:
        "Errors are problem documents (RFC 9457); `type` is urn:sync-trigger: and a code. A path answers a method that it \
does not have as components/responses/MethodNotAllowed says; any other path, as RouteNotFound says.",
    },
    servers: [{ url: "/" }],
    // With AUTH_MODE none there is no authentication, which the empty requirement says.
    security: [{ bearer: [] }, {}],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: describeSchemas(),
      responses: {
        MethodNotAllowed: describeFaults(["method-not-allowed"])[405],
        RouteNotFound: describeFaults(["route-not-found"])[404],
      },
    },
  };
}

function describeOperation({ id, summary, description, parameters, body, answers, faults }: Operation): object {
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters ? { parameters: Object.entries(parameters).flatMap(describeParameters) } : {}),
    ...(body ? { requestBody: { required: false, content: describeContent(body) } } : {}),
    responses: { ...Object.fromEntries(Object.entries(answers).map(describeAnswer)), ...describeFaults(faults) },
  };
}

/** HEAD is answered as GET is, without the body. */
function describeHead(operation: Operation): object {
  const { responses, ...described } = describeOperation(operation) as { responses: Record<string, object> };
  const bare = Object.entries(responses).map(([status, answer]) => [status, { ...answer, content: undefined }]);
  return { ...described, operationId: `${operation.id}Head`, responses: Object.fromEntries(bare) };
}

function describeParameters([place, schema]: [string, Parameters]): object[] {
  const { properties = {} } = toSchema(schema) as { properties?: Record<string, { description?: string }> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path",
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function describeAnswer([status, { description, headers, content }]: [string, Operation["answers"][string]]) {
  const answer = {
    description,
    headers: describeHeaders(headers),
    ...(content ? { content: describeContent(content) } : {}),
  };
  return [status, answer] as const;
}

function describeHeaders(headers: Record<string, Header> = {}): object {
  const all = { "X-Request-Id": { description: "As in the log line.", required: true }, ...headers };
  const described = Object.entries(all).map(([name, header]) => [name, { ...header, schema: { type: "string" } }]);
  return Object.fromEntries(described);
}

function describeContent(content: Record<string, z.ZodMiniType>): object {
  const described = Object.entries(content).map(([type, schema]) => [type, { schema: toSchema(schema) }]);
  return Object.fromEntries(described);
}

/** One answer for each status; codes that share a status are told apart by `type`. */
function describeFaults(codes: readonly FaultCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => FAULTS[code].status);
  const answers = [...byStatus].map(([status, of]) => {
    const types = of.map((code) => `urn:sync-trigger:${code}`);
    const schema = {
      allOf: [{ $ref: toReference("Problem") }, { type: "object", properties: { type: { enum: types } } }],
    };
    const description = of.map((code) => `${code}: ${FAULTS[code].meaning}`).join("; ");
    const headers = describeHeaders(Object.assign({}, ...of.map((code) => headersOf(code))));
    return [status, { description, headers, content: { "application/problem+json": { schema } } }];
  });
  return Object.fromEntries(answers);
}

/** The headers of a fault, beside those of every answer. */
function headersOf(code: FaultCode): Record<string, Header> {
  const { status } = FAULTS[code];
  if (status === 401) return { "WWW-Authenticate": { description: "Bearer", required: true } };
  if (status === 405) return { Allow: { description: "The methods of this path.", required: true } };
  if (status === 503) return { "Retry-After": { description: "Seconds.", required: true } };
  return code === "no-log-yet" || code === "outcome-unknown" ? { "Retry-After": { description: "Seconds." } } : {};
}

/** Every schema that has a name. */
function describeSchemas(): Record<string, object> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { ...options, uri: toReference });
  const entries = Object.entries(schemas).map(([id, { $schema: _dialect, $id: _uri, ...schema }]) => [id, schema]);
  return Object.fromEntries(entries);
}

/** As requests are written, and without what zod adds of its own: a pattern beside "date-time", bounds of numbers. */
const options = {
  io: "input",
  override: ({ jsonSchema }) => {
    if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  },
} as const satisfies z.core.ToJSONSchemaParams;

/** A schema as it stands in the document: by reference where it has a name. */
function toSchema(schema: z.ZodMiniType): object {
  if (schema instanceof z.ZodMiniUnion)
    return { anyOf: schema.def.options.map((option) => toSchema(option as z.ZodMiniType)) };
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) return { $ref: toReference(id) };
  const { $schema: _dialect, ...described } = z.toJSONSchema(schema, options);
  return described;
}

function toReference(id: string): string {
  return `#/components/schemas/${id}`;
}
