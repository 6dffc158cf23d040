import { join } from "node:path";
import { buildBase, buildProgramImage } from "../images/base.ts";
import { loadBuilt } from "../images/load.ts";
import { ownPrograms } from "../kubernetes/programs.ts";
import { buildPrograms, type GoGroup } from "../machine/go-binaries.ts";
import { envoyImage } from "./envoy.ts";
import { dnsPrograms, knativePrograms, kourierPrograms } from "./programs.ts";

/** The image of a program of these groups. */
export function imageOf(program: string): string {
  return `dev.local/${program}:1`;
}

async function loadPrograms(group: GoGroup, names = Object.keys(group.programs)): Promise<void> {
  const directory = await buildPrograms(group);
  for (const name of names)
    await loadBuilt(imageOf(name), await buildProgramImage(imageOf(name), join(directory, name)));
}

/** Builds what Knative consists of, or finds it built, and gives the images to the running cluster. */
export async function loadKnativeImages(): Promise<void> {
  for (const group of [dnsPrograms, knativePrograms, kourierPrograms]) await loadPrograms(group);
  await loadPrograms(ownPrograms, ["hello"]);
  const envoy = await envoyImage();
  await loadBuilt(envoy.name, await buildBase(envoy));
}
