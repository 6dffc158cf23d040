import { buildImage, type ImageSource } from "./images/build.ts";
import { loadBuilt } from "./images/load.ts";

/**
 * Builds an image named dev.local/NAME:TAG from a Dockerfile and gives it to the running cluster. A Dockerfile may
 * build on dev.local/node:24, which `up` has made. Nothing is built or loaded twice.
 */
export async function loadImage(name: string, source: ImageSource): Promise<void> {
  await loadBuilt(name, await buildImage(name, source));
}
