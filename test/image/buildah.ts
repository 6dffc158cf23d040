import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, writeArchive } from "../cluster/images/build.ts";
import type { Engine } from "./engine.ts";
import { openPodman } from "./podman.ts";

/** buildah, as the cluster's own images are built, with Podman to run what it has built. */
export async function openBuildah(): Promise<Engine> {
  const podman = await openPodman();
  return {
    ...podman,
    async load() {
      // Its storage has the bases: they were made there.
    },
    async build(image, buildArgs) {
      const directory = await mkdtemp(join(tmpdir(), "sync-trigger-buildah-"));
      const archive = join(directory, "image.tar");
      try {
        await writeArchive(await buildImage(image, { context: ".", buildArgs }), image, archive);
        await podman.load(archive);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
  };
}
