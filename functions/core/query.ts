import type * as z from "zod/mini";
import { Fault } from "../errors.ts";

/** Checks a query against a schema of texts. Throws 422 naming each parameter that is unknown, doubled or wrong. */
export function parseQuery<T extends z.ZodMiniObject>(schema: T, query: URLSearchParams): z.infer<T> {
  const doubled = [...query.keys()].find((name) => query.getAll(name).length > 1);
  if (doubled !== undefined) throw invalid(`${quote(doubled)} stands twice`);
  const { success, data, error } = schema.safeParse(Object.fromEntries(query));
  if (success) return data as z.infer<T>;
  const allowed = Object.keys(schema.shape);
  throw invalid(error.issues.map((issue) => describeIssue(issue, allowed)).join("; "));
}

function describeIssue(issue: z.core.$ZodIssue, allowed: string[]): string {
  if (issue.code !== "unrecognized_keys") return `${issue.path.join(".")}: ${issue.message}`;
  const takes = allowed.length > 0 ? `allowed: ${allowed.join(", ")}` : "this path takes none";
  return `${issue.keys.slice(0, 5).map(quote).join(", ")} is unknown; ${takes}`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

function invalid(detail: string): Fault {
  return new Fault("invalid-field", `query: ${detail}`);
}
