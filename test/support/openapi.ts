import type { IncomingHttpHeaders } from "node:http";
import { expect } from "vitest";
import { z } from "zod";

/** An answer to be compared with its description. */
export type Answer = { status: number; type: string; headers: IncomingHttpHeaders; body: string };

/** An answer as the document describes it. */
export type Described = {
  headers: Record<string, { required?: boolean }>;
  content?: Record<string, { schema: object }>;
};

/** The parts of GET /openapi.json that tests read. */
export type Document = {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, Described> }>>;
  components: { schemas: object; responses: Record<"MethodNotAllowed" | "RouteNotFound", Described> };
};

/** Headers of HTTP itself, which say nothing of this answer alone. */
const ofHttp = new Set(["connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"]);

/** A check for a schema of the document, whose references lead to its components. */
export function toCheck({ components }: Document, schema: object): z.ZodType {
  const local = JSON.stringify({ ...schema, $defs: components.schemas });
  return z.fromJSONSchema(JSON.parse(local.replaceAll("#/components/schemas/", "#/$defs/")));
}

/** Compares an answer's headers with the described ones, and gives their names. */
export function checkHeaders({ headers }: Answer, described: Described): Set<string> {
  const came = new Set(Object.keys(headers).filter((name) => !ofHttp.has(name)));
  const known = new Map(Object.entries(described.headers).map(([name, header]) => [name.toLowerCase(), header]));
  expect(
    [...came].filter((name) => !known.has(name)),
    "headers that are not described",
  ).toEqual([]);
  const required = [...known].filter(([, header]) => header.required).map(([name]) => name);
  expect(
    required.filter((name) => !came.has(name)),
    "required headers that are missing",
  ).toEqual([]);
  if (came.has("retry-after")) expect(headers["retry-after"]).toMatch(/^\d+$/);
  return came;
}
