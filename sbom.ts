import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

const root = import.meta.dirname;

/** The fields of a package.json and of a lockfile's entry that a bill of materials needs. */
type PackageFile = { name: string; version: string; license?: string; description?: string };
type LockFile = { packages: Record<string, { integrity?: string }> };

/**
 * What ships, as CycloneDX 1.6: the packages whose code is in the outputs, with the digests of the lockfile. The same
 * inputs give the same bytes, so it has no time and no serial number.
 */
export function toSbom(metafile: Metafile): string {
  const { packages: locked } = readJson<LockFile>("package-lock.json");
  const { name, version, license, description } = readJson<PackageFile>("package.json");
  const self = {
    "bom-ref": `${name}@${version}`,
    type: "application",
    name,
    version,
    description,
    ...licenseOf(license),
  };
  const components = packagesOf(metafile).map((path) => toComponent(path, locked[path]?.integrity));
  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    ...{ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 },
    metadata: { component: self },
    components,
    dependencies: [{ ref: self["bom-ref"], dependsOn: components.map((component) => component["bom-ref"]) }],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

/** Where the packages lie whose code is in the outputs, seen from the project's root. */
export function packagesOf(metafile: Metafile): string[] {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const paths = inputs.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(paths)].sort();
}

function toComponent(path: string, integrity: string | undefined) {
  const { name, version, license } = readJson<PackageFile>(join(path, "package.json"));
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [algorithm, digest] = integrity?.split("-") ?? [];
  const content = Buffer.from(digest ?? "", "base64").toString("hex");
  const hashes = algorithm === "sha512" ? [{ alg: "SHA-512", content }] : [];
  return { "bom-ref": purl, type: "library", name, version, purl, hashes, ...licenseOf(license) };
}

function licenseOf(license: string | undefined): object {
  if (!license) return {};
  const isOne = /^[A-Za-z0-9.-]+$/.test(license);
  return { licenses: [isOne ? { license: { id: license } } : { expression: license }] };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(root, path), "utf8")) as T;
}
