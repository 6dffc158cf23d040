import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CACHE_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";

/** What an image is built from: `file` is relative to the context directory and defaults to Dockerfile. */
export interface ImageSource {
  context: string;
  file?: string | undefined;
  buildArgs?: Record<string, string> | undefined;
  /** Files or directories of this machine that its steps find, to be read only, at these paths. */
  mounts?: Record<string, string> | undefined;
}

async function buildah(args: string[]): Promise<string> {
  const storage = join(CACHE_DIR, "buildah");
  mkdirSync(storage, { recursive: true });
  const where = ["--root", join(storage, "storage"), "--runroot", join(storage, "run"), "--storage-driver", "overlay"];
  // In a mount namespace of its own: buildah leaves its storage mounted.
  return run("unshare", ["--mount", "buildah", ...where, ...args], { timeoutMs: 600_000 });
}

/** Builds an image from its Dockerfile, layer by layer from the cache where nothing changed, and returns its id. */
export async function buildImage(name: string, source: ImageSource): Promise<string> {
  const temporary = mkdtempSync(join(tmpdir(), "sync-trigger-image-"));
  const idFile = join(temporary, "id");
  const buildArgs = Object.entries(source.buildArgs ?? {}).flatMap(([key, value]) => [
    "--build-arg",
    `${key}=${value}`,
  ]);
  const volumes = Object.entries(source.mounts ?? {}).flatMap(([at, from]) => ["--volume", `${from}:${at}:ro`]);
  const file = join(source.context, source.file ?? "Dockerfile");
  const flags = ["--isolation", "chroot", "--layers", "--pull-never", "--iidfile", idFile, "--tag", name];
  try {
    await buildah(["bud", ...flags, ...buildArgs, ...volumes, "--file", file, source.context]);
    return readFileSync(idFile, "utf8").trim().replace("sha256:", "");
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** How a built image is configured, as the OCI image specification's `config` tells. */
export type ImageConfig = { Labels: Record<string, string>; User: string; Entrypoint: string[] };

/** Reads a built image's configuration. */
export async function readImageConfig(name: string): Promise<ImageConfig> {
  const image = JSON.parse(await buildah(["inspect", "--type", "image", name])) as { OCIv1: { config: ImageConfig } };
  return image.OCIv1.config;
}

/** Writes a built image as an archive under its name. */
export async function writeArchive(id: string, name: string, archive: string): Promise<void> {
  await buildah(["push", "--disable-compression", id, `docker-archive:${archive}:${name}`]);
}
