import type { KubeObject } from "./objects.ts";
import { notAcceptable, unmodelled } from "./status.ts";

/** Refuses a request that does not take plain JSON: 406, or 501 for a form that only a real server can give. */
export function refuseOtherAccept(header: string | undefined): void {
  if (!header) return;
  const wanted = header.split(",").map((item) => {
    const [type = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    return { type, isPlain: !parameters.some((parameter) => parameter.startsWith("as=")) };
  });
  const isJson = (type: string) => ["*/*", "application/*", "application/json"].includes(type);
  if (wanted.some(({ type, isPlain }) => isPlain && isJson(type))) return;
  const isKnown = (type: string) => isJson(type) || /^application\/(yaml|vnd\.kubernetes\.protobuf|cbor)$/.test(type);
  if (wanted.some(({ type }) => isKnown(type))) throw unmodelled(`an answer of type ${header}`);
  throw notAcceptable();
}

/** A stored object in the form that was asked for first: whole, or its metadata alone. */
export function inFormAskedFor(header: string | undefined, object: KubeObject): object {
  const [first = ""] = header?.split(",") ?? [];
  if (first.replaceAll(" ", "") !== "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1") return object;
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}
