import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { manifestsDirectory } from "./copy-overlay.ts";

/** Every directory of manifests/ that an operator can apply; components and transformers are part of others. */
export function listManifestPaths(): string[] {
  const files = readdirSync(manifestsDirectory, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith("kustomization.yaml"))
    .filter((file) => {
      const text = readFileSync(join(manifestsDirectory, file), "utf8");
      return /^kind: Kustomization$/m.test(text) && !text.startsWith("# Not for applying");
    })
    .map((file) => relative(".", dirname(file)))
    .sort();
}
