import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";
import { say } from "../machine/say.ts";
import { clusterEnvironment, kubectl } from "../netns.ts";
import { waitForDefinitions, waitForWorkloads } from "./readiness.ts";
import { readUpstream, splitDocuments } from "./upstream.ts";

/** Notes what was installed into the running cluster; it vanishes with the cluster. */
const NOTE_FILE = join(RUN_DIR, "knative.installed");

/** Builds all manifests with Kustomize from Knative's own and ours. */
async function renderManifests(): Promise<string> {
  const directory = join(RUN_DIR, "knative");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(join(import.meta.dirname, "manifests"), directory, { recursive: true });
  writeFileSync(join(directory, "upstream.yaml"), await readUpstream());
  return run("kubectl", ["kustomize", directory], { env: clusterEnvironment() });
}

/** What is applied together, in this order: each phase needs what the one before it made. */
const phases: { what: string; kinds?: string[] }[] = [
  { what: "definitions", kinds: ["Namespace", "CustomResourceDefinition"] },
  { what: "settings and rights" },
  { what: "webhooks", kinds: ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] },
  { what: "workloads", kinds: ["Deployment"] },
];

function documentsOf(kinds: string[] | undefined, documents: string[]): string[] {
  const named = kinds ?? phases.flatMap((phase) => phase.kinds ?? []);
  const isNamed = (document: string) => named.includes(/^kind: (\w+)/m.exec(document)?.[1] ?? "");
  return documents.filter((document) => isNamed(document) === (kinds !== undefined));
}

/** Installs DNS, Serving, Kourier and Eventing unless the running cluster has them, and waits until they are ready. */
export async function installKnative(): Promise<void> {
  const manifests = await renderManifests();
  const digest = createHash("sha256").update(manifests).digest("hex");
  if (!existsSync(NOTE_FILE) || readFileSync(NOTE_FILE, "utf8") !== digest) {
    const documents = splitDocuments(manifests);
    for (const { what, kinds } of phases) {
      say(`applying Knative's ${what}`);
      // Forced: webhooks and aggregated roles have fields that their controllers fill in after the first time.
      const apply = ["apply", "--server-side", "--force-conflicts", "--filename", "-"];
      await kubectl(apply, { input: documentsOf(kinds, documents).join("\n---\n"), timeoutMs: 180_000 });
      if (kinds?.includes("CustomResourceDefinition")) await waitForDefinitions();
    }
    writeFileSync(NOTE_FILE, digest);
  }
  await waitForWorkloads();
}
