import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parse, stringify } from "yaml";

/** The shipped manifests. */
export const manifestsDirectory = join(import.meta.dirname, "../../../manifests");

/** A patch as a kustomization.yaml takes it. */
export type Patch = { target: { kind: string; name: string }; patch: string };

/** An image as a kustomization.yaml names another in its place. */
export type ImageName = { name: string; newName?: string; newTag: string };

type Kustomization = Record<"resources" | "components" | "transformers", string[] | undefined> & {
  namespace: string;
  patches: Patch[];
  images: ImageName[];
};

/** What a copy of an overlay says in other words. */
export type Changes = {
  namespace: string;
  cronJobName: string;
  patches?: Patch[] | undefined;
  /** What an image's entry becomes; as it is shipped unless given. */
  nameImage?: (image: ImageName) => ImageName;
};

/**
 * Copies an overlay as README tells an operator to, and gives the copy's directory: namespace and CronJob name are
 * changed where they are stated, which is in one place each; further patches go in behind.
 */
export async function copyOverlay(
  overlay: string,
  { namespace, cronJobName, patches = [], nameImage = (image) => image }: Changes,
): Promise<string> {
  const original = join(manifestsDirectory, "overlays", overlay);
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-overlay-"));
  await cp(original, directory, { recursive: true });

  const file = join(directory, "kustomization.yaml");
  const text = await readFile(file, "utf8");
  const renamed = replaceOnce(
    replaceOnce(text, /^namespace: kraken\b/gm, `namespace: ${namespace}`),
    /\bvalue: "kraken-sync"/g,
    `value: "${cronJobName}"`,
  );
  const kustomization = parse(renamed) as Kustomization;
  const toPath = (path: string) => (path.startsWith("..") ? relative(directory, join(original, path)) : path);
  for (const list of ["resources", "components", "transformers"] as const) {
    kustomization[list] = kustomization[list]?.map(toPath);
  }
  kustomization.patches.push(...patches);
  kustomization.images = kustomization.images.map(nameImage);
  await writeFile(file, stringify(kustomization));
  return directory;
}

function replaceOnce(text: string, pattern: RegExp, replacement: string): string {
  const found = text.match(pattern) ?? [];
  if (found.length !== 1) throw new Error(`${pattern} stands ${found.length} times in the overlay, not once`);
  return text.replace(pattern, replacement);
}

/** A patch that sets settings in the ConfigMap. */
export function settingsPatch(settings: Record<string, string>): Patch {
  const edits = Object.entries(settings).map(([name, value]) => ({ op: "add", path: `/data/${name}`, value }));
  return { target: { kind: "ConfigMap", name: "sync-trigger" }, patch: JSON.stringify(edits) };
}

/** A patch of the PingSource's schedule. */
export function schedulePatch(schedule: string): Patch {
  const edit = { op: "replace", path: "/spec/schedule", value: schedule };
  return { target: { kind: "PingSource", name: "sync-trigger-fallback" }, patch: JSON.stringify([edit]) };
}

/** A patch that starts no pod of the settings page: for tests that do not look at it, because Streamlit's start is slow. */
export const withoutPage: Patch = {
  target: { kind: "Deployment", name: "settings-page" },
  patch: JSON.stringify([{ op: "replace", path: "/spec/replicas", value: 0 }]),
};

/** A patch of the Knative Service that runs its container as another user than the image names. */
export function userPatch(user: number): Patch {
  const edit = { op: "add", path: "/spec/template/spec/containers/0/securityContext/runAsUser", value: user };
  return { target: { kind: "Service", name: "sync-trigger" }, patch: JSON.stringify([edit]) };
}

/** A patch that keeps one pod of the function up, however long nobody asks. */
export const keptWarm: Patch = {
  target: { kind: "Service", name: "sync-trigger" },
  patch: JSON.stringify([
    { op: "replace", path: "/spec/template/metadata/annotations/autoscaling.knative.dev~1min-scale", value: "1" },
  ]),
};
