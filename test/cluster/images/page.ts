import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";
import { say } from "../machine/say.ts";
import { buildPython, PYTHON_IMAGE } from "./base.ts";
import { buildImage } from "./build.ts";
import { loadBuilt } from "./load.ts";

const context = "examples/streamlit";
const requirements = join(context, "requirements.txt");

/** Debian's pip asks for the last line; python's own images do not. */
const pipConfiguration = "[global]\nno-index = true\nfind-links = /wheels\nbreak-system-packages = true\n";

/** The wheels of the page for the Python of the base, fetched once by this machine's pip, which knows the way out. */
async function fetchWheels(): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const target = join(CACHE_DIR, `page-wheels-${hash}`);
  if (existsSync(target)) return target;
  say("fetching the page's wheels (once)");
  const temporary = `${target}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  // Debian 12 has glibc 2.36; each tag up to it must be named.
  const tags = Array.from({ length: 20 }, (_, index) => `manylinux_2_${index + 17}_${machine}`);
  const platforms = ["any", `manylinux2014_${machine}`, ...tags].map((tag) => `--platform=${tag}`);
  const python = ["--python-version=3.11", "--implementation=cp", "--only-binary=:all:", "--no-deps", ...platforms];
  try {
    await run("python3", ["-m", "pip", "download", "--quiet", ...python, "-r", requirements, "-d", temporary], {
      timeoutMs: 900_000,
    });
    writeFileSync(join(temporary, "pip.conf"), pipConfiguration);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** Builds the image of examples/streamlit from its Dockerfile on Debian's Python, and gives it to the running cluster. */
export async function loadPageImage(name: string): Promise<void> {
  await buildPython();
  const wheels = await fetchWheels();
  const mounts = { "/wheels": wheels, "/etc/pip.conf": join(wheels, "pip.conf") };
  await loadBuilt(name, await buildImage(name, { context, buildArgs: { BASE: PYTHON_IMAGE }, mounts }));
}

/** Gives the running cluster an image that has curl: the Python base. */
export async function loadCurlImage(): Promise<void> {
  await loadBuilt(PYTHON_IMAGE, await buildPython());
}
