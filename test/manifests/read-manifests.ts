import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** Any object of Kubernetes or Kustomize, read as deep as a test needs. */
// biome-ignore lint/suspicious/noExplicitAny: YAML has no types, and a test that reads past the end fails as it should
export type Manifest = any;

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

/** The documents of a YAML text. */
export function parseDocuments(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS();
    })
    .filter((object) => object !== null);
}

/** Objects of a kind. */
export function ofKind(files: ManifestFile[], ...kinds: string[]): ManifestFile[] {
  return files.filter(({ object }) => kinds.includes(object.kind));
}

/** Every value under this key, however deep. */
export function findAll(value: Manifest, key: string): Manifest[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === key ? [inner] : findAll(inner, key)));
}
