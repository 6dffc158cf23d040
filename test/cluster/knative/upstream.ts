import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { moduleDirectory } from "../machine/go-binaries.ts";
import { imageOf } from "./images.ts";
import { nameOfProgram } from "./programs.ts";

/** The manifests inside the modules, and the go.mod that selects each module's version. */
const sources = [
  { group: "knative", module: "knative.dev/serving", directories: ["config/core"] },
  // In the repository these lie in serving's config/core as symbolic links, which a module leaves out.
  { group: "knative", module: "knative.dev/networking", directories: ["config"] },
  { group: "knative", module: "knative.dev/caching", directories: ["config"] },
  {
    group: "knative",
    module: "knative.dev/eventing",
    directories: ["config/core", "config/channels/in-memory-channel", "config/brokers/mt-channel-broker"],
  },
  { group: "net-kourier", module: "knative.dev/net-kourier", directories: ["config"] },
];

/** Scaling and disruption need metrics and more nodes; request-reply needs keys and is not used. */
const leftOut = [
  /^kind: HorizontalPodAutoscaler$/m,
  /^kind: PodDisruptionBudget$/m,
  /^ {2}name: request-reply(-keys)?$/m,
];

/** The documents of a YAML stream, empty ones left out. */
export function splitDocuments(yaml: string): string[] {
  return yaml.split(/^---.*$/m).filter((document) => /^kind:/m.test(document));
}

/** Reads Knative's own manifests as one YAML stream in which each program's import path is our image of it. */
export async function readUpstream(): Promise<string> {
  const documents: string[] = [];
  for (const { group, module, directories } of sources) {
    const root = await moduleDirectory(group, module);
    for (const directory of directories) {
      const files = readdirSync(join(root, directory), { recursive: true, encoding: "utf8" }).sort();
      const manifests = files.filter((file) => file.endsWith(".yaml"));
      for (const file of manifests)
        documents.push(...splitDocuments(readFileSync(join(root, directory, file), "utf8")));
    }
  }
  const kept = documents.filter((document) => !leftOut.some((pattern) => pattern.test(document)));
  return kept.join("\n---\n").replaceAll(/ko:\/\/([\w./-]+)/g, (_, goPackage) => imageOf(nameOfProgram(goPackage)));
}
