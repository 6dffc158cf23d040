import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Manifest, PodSpec } from "./manifest.ts";

/** An object and the file that it stands in, seen from the project's root. */
export type ManifestFile = { path: string; object: Manifest };

/** Every YAML document below a directory. Throws for what is no YAML. */
export function readManifests(directory = "manifests"): ManifestFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((path) => parseDocuments(readFileSync(path, "utf8")).map((object) => ({ path, object })));
}

/** The documents of a YAML text, by the rules of one version of YAML. */
export function parseDocuments(text: string, version: "1.1" | "1.2" = "1.2"): Manifest[] {
  return parseAllDocuments(text, { version })
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS() as Manifest | null;
    })
    .filter((object) => object !== null);
}

/** Objects of a kind. */
export function ofKind(files: ManifestFile[], ...kinds: string[]): ManifestFile[] {
  return files.filter(({ object }) => kinds.includes(object.kind));
}

/** The one object of a kind, of that name or API group version where several are. Throws unless there is exactly one. */
export function theOne(objects: Manifest[], kind: string, { name, apiVersion }: Which = {}): Manifest {
  const [object, second] = objects.filter(
    (candidate) =>
      candidate.kind === kind &&
      candidate.metadata.name === (name ?? candidate.metadata.name) &&
      candidate.apiVersion === (apiVersion ?? candidate.apiVersion),
  );
  if (!object || second) throw new Error(`expected exactly one ${kind} ${name ?? apiVersion ?? ""}`);
  return object;
}
type Which = { name?: string; apiVersion?: string };

/** Every pod spec in an object, however deep. */
export function findPodSpecs(value: unknown): PodSpec[] {
  if (typeof value !== "object" || value === null) return [];
  if ("containers" in value) return [value as PodSpec];
  return Object.values(value).flatMap(findPodSpecs);
}
