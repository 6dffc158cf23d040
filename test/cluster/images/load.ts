import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outsidePath } from "../kubernetes/namespaces.ts";
import { CACHE_DIR, RUN_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";
import { say } from "../machine/say.ts";
import { writeArchive } from "./build.ts";

/** Runs containerd's client on the images of Kubernetes. */
export async function ctr(args: string[], timeoutMs = 120_000): Promise<string> {
  const socket = join(outsidePath("/run/containerd"), "containerd.sock");
  return run("ctr", ["--address", socket, "--namespace", "k8s.io", ...args], { timeoutMs });
}

/** Notes which image the running cluster has under a name; they vanish with the cluster. */
const noteOf = (name: string): string => join(RUN_DIR, "images", encodeURIComponent(name));

/** The id of the image that the running cluster has under this name. */
function loadedId(name: string): string | undefined {
  return existsSync(noteOf(name)) ? readFileSync(noteOf(name), "utf8") : undefined;
}

/** The archive of an image, kept for the next cluster until the name stands for another image. */
async function archiveOf(name: string, id: string): Promise<string> {
  const directory = join(CACHE_DIR, "images");
  const prefix = `${encodeURIComponent(name)}@`;
  const archive = `${prefix}${id.slice(0, 16)}.tar`;
  mkdirSync(directory, { recursive: true });
  const others = readdirSync(directory).filter((file) => file.startsWith(prefix) && file !== archive);
  for (const file of others) rmSync(join(directory, file), { force: true });
  if (!existsSync(join(directory, archive))) {
    const temporary = join(directory, `.${process.pid}-${archive}`);
    try {
      await writeArchive(id, name, temporary);
      renameSync(temporary, join(directory, archive));
    } finally {
      rmSync(temporary, { force: true });
    }
  }
  return join(directory, archive);
}

/** Gives a built image to the running cluster under its name, unless the cluster has it. */
export async function loadBuilt(name: string, id: string): Promise<void> {
  if (!name.startsWith("dev.local/") || !/:[^/]+$/.test(name) || name.endsWith(":latest")) {
    // Knative asks a registry about any other prefix; the kubelet about the tag latest.
    throw new Error(`an image for the cluster is named dev.local/NAME:TAG with a tag other than latest, not ${name}`);
  }
  if (loadedId(name) === id) return;
  say(`loading ${name}`);
  await ctr(["images", "import", await archiveOf(name, id)]);
  mkdirSync(join(RUN_DIR, "images"), { recursive: true });
  writeFileSync(noteOf(name), id);
}
