import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CACHE_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";
import { say } from "../machine/say.ts";
import { buildImage } from "./build.ts";

/** Debian with what Node and Envoy need and no package manager: the ground that the other images stand on. */
export const DEBIAN_IMAGE = "dev.local/debian:bookworm";

/** Node of this checkout's lockfile on Debian, as the user 65532. */
export const NODE_IMAGE = "dev.local/node:24";

/** Python 3.11 with pip, and curl, on Debian. */
export const PYTHON_IMAGE = "dev.local/python:3.11";

/** An image made of a few files that are known by a key, so that an unchanged one is not even looked at by buildah. */
export interface BaseImage {
  name: string;
  key: string;
  dockerfile: string;
  files: Record<string, string>;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** Builds an image from files that lie anywhere, once for each key, and returns its id. */
export async function buildBase(image: BaseImage): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(image)).digest("hex").slice(0, 16);
  const note = join(CACHE_DIR, "images", `${encodeURIComponent(image.name)}-${hash}.id`);
  if (existsSync(note)) return readFileSync(note, "utf8");
  say(`building ${image.name} (once)`);
  mkdirSync(join(CACHE_DIR, "images"), { recursive: true });
  const context = mkdtempSync(join(CACHE_DIR, "images", ".context-"));
  try {
    for (const [name, from] of Object.entries(image.files)) linkOrCopy(from, join(context, name));
    writeFileSync(join(context, "Dockerfile"), image.dockerfile);
    const id = await buildImage(image.name, { context });
    writeFileSync(note, id);
    return id;
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** The files of a minimal Debian with these packages as a tar, made once for each name. */
async function debianArchive(name: string, packages: string[]): Promise<string> {
  const archive = join(CACHE_DIR, `${name}.tar`);
  if (existsSync(archive)) return archive;
  say(`making a Debian base with ${packages.join(", ")} (once)`);
  mkdirSync(CACHE_DIR, { recursive: true });
  const left = ["doc", "info", "locale", "man"].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`);
  const flags = ["--variant=essential", `--include=${packages.join(",")}`, ...left];
  const temporary = `${archive}.${process.pid}.tar`;
  try {
    await run("mmdebstrap", [...flags, "bookworm", temporary], { timeoutMs: 600_000 });
    renameSync(temporary, archive);
  } finally {
    rmSync(temporary, { force: true });
  }
  return archive;
}

async function buildDebianWith(name: string, archive: string): Promise<string> {
  return buildBase({
    name,
    key: archive,
    files: { "debian.tar": archive },
    dockerfile:
      "FROM scratch\nADD debian.tar /\nRUN echo nonroot:x:65532:65532::/tmp:/usr/sbin/nologin >> /etc/passwd\n",
  });
}

/** Builds the Debian base. */
export async function buildDebian(): Promise<string> {
  return buildDebianWith(DEBIAN_IMAGE, await debianArchive("debian-bookworm-1", ["libstdc++6", "ca-certificates"]));
}

/** Builds the Python base, which has curl too. */
export async function buildPython(): Promise<string> {
  const packages = ["python3", "python3-pip", "curl", "ca-certificates"];
  return buildDebianWith(PYTHON_IMAGE, await debianArchive("debian-bookworm-python-1", packages));
}

/** Builds the Node base from the Node that npm installed. */
export async function buildNode(): Promise<string> {
  const packageFile = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  return buildBase({
    name: NODE_IMAGE,
    key: `${version} on ${await buildDebian()}`,
    files: { node: join(dirname(packageFile), "bin", "node") },
    dockerfile: `FROM ${DEBIAN_IMAGE}\nCOPY --chmod=755 node /usr/local/bin/node\nUSER 65532:65532\nCMD ["node"]\n`,
  });
}

/** Builds an image that holds one static Go program, and the time zones that Knative's own images have for PingSource. */
export async function buildProgramImage(name: string, program: string): Promise<string> {
  const goRoot = (await run("go", ["env", "GOROOT"])).trim();
  return buildBase({
    name,
    key: program,
    files: { program, "zoneinfo.zip": join(goRoot, "lib", "time", "zoneinfo.zip") },
    dockerfile: [
      "FROM scratch",
      "COPY --chmod=755 program /program",
      "COPY --chmod=644 zoneinfo.zip /zoneinfo.zip",
      "ENV ZONEINFO=/zoneinfo.zip",
      "USER 65532:65532",
      'ENTRYPOINT ["/program"]\n',
    ].join("\n"),
  });
}
