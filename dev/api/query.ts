import { invalid, notSupported } from "./invalid.ts";
import type { FieldValidation } from "./read-body.ts";
import { badRequest, unmodelled } from "./status.ts";

/** Refuses a parameter that a real server would read or ignore and the embedded one has never heard of. */
export function refuseUnknownParameters(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw unmodelled(`the query parameter "${name}"`);
  }
}

/** A whole number in the query, or undefined; 400 in Go's words for anything else. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** A boolean in the query, read as Kubernetes does: everything but "false" and "0" is true, even the empty value. */
export function booleanOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== "0" && text.toLowerCase() !== "false";
}

/** Parameters of every request that writes. */
const writeParameters = ["dryRun", "fieldManager", "fieldValidation", "pretty", "timeout"];

/** What the parameters of a write ask for. */
export interface WriteOptions {
  dryRun: boolean;
  fieldValidation: FieldValidation;
}

const duration = /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$|^0$/;

/** Reads the parameters of a write; `kind` is the name its options have in errors, `CreateOptions` for example. */
export function writeOptions(query: URLSearchParams, kind: string): WriteOptions {
  refuseUnknownParameters(query, writeParameters);
  refuseBadTimeout(query);
  const dryRun = dryRunOf(query, kind);
  const fieldValidation = query.get("fieldValidation") || "Warn";
  if (fieldValidation !== "Ignore" && fieldValidation !== "Warn" && fieldValidation !== "Strict") {
    const error = notSupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]);
    throw invalid({ kind, group: "meta.k8s.io" }, "", [error]);
  }
  return { dryRun, fieldValidation };
}

/** A duration is checked and not needed: nothing here takes long. */
export function refuseBadTimeout(query: URLSearchParams): void {
  const text = query.get("timeout");
  if (text && !duration.test(text)) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  }
}

/** Whether the request asks for a rehearsal: `dryRun=All`. */
export function dryRunOf(query: URLSearchParams, kind: string): boolean {
  const values = query.getAll("dryRun").filter((value) => value !== "");
  if (values.some((value) => value !== "All")) {
    throw invalid({ kind, group: "meta.k8s.io" }, "", [notSupported("dryRun", values, ["All"])]);
  }
  return values.length > 0;
}
