// npm run test:streamlit: the page's tests in a virtual environment of their own, outside the checkout. With
// TEST_TARGET=real the browser's are on the real cluster, or on that of TEST_KUBE_CONTEXT. Arguments go to pytest:
// npm run test:streamlit -- -k log
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const here = "test/streamlit";
const requirements = join(here, "requirements.txt");
const isReal = process.env.TEST_TARGET === "real";
const isOwnCluster = isReal && process.env.TEST_KUBE_CONTEXT === undefined;
const installTimeoutMs = 900_000;

await requirePrograms();
const python = join(await makeEnvironment(), "bin", "python");
const pytest = [python, "-m", "pytest", "-c", join(here, "pyproject.toml"), "--rootdir", here, "-p", "report"];
const paths = process.argv.slice(2).filter(isPath);
const options = process.argv.slice(2).filter((argument) => !isPath(argument));
const chosen = paths.length > 0 ? paths : [here];
const command = [...pytest, ...options, ...chosen];
const own = isOwnCluster ? await openOwnCluster(command) : { command, env: {} };
const env = { NODE: process.execPath, PYTHONDONTWRITEBYTECODE: "1", PYTHONPATH: here, ...own.env };
process.exitCode = await run(own.command, env);

/** What must be there, with the Debian package of each; installed by a CI that is root, else the command is named. */
async function requirePrograms(): Promise<void> {
  const missing: string[] = [];
  const hasVenv = await succeeds(["python3", "-c", "import ensurepip, venv"]);
  if (!hasVenv) missing.push("python3", "python3-venv");
  const names = [process.env.CHROMIUM, "chromium", "chromium-browser"];
  const hasChromium = names.some((name) => name && [name, ...inPath(name)].some((file) => existsSync(file)));
  // The fonts: without one Chromium draws boxes, and the pictures show nobody anything.
  if (!hasChromium) missing.push("chromium", "fonts-dejavu-core");
  if (missing.length === 0) return;
  const install = `apt-get update && apt-get install --yes --no-install-recommends ${missing.join(" ")}`;
  if (process.env.CI !== "true" || process.getuid?.() !== 0) {
    throw new Error(`this machine lacks ${missing.join(", ")}; install them:\n  ${install}`);
  }
  const code = await run(["sh", "-c", install], { DEBIAN_FRONTEND: "noninteractive" }, installTimeoutMs);
  if (code !== 0) throw new Error(`${install}: exit code ${code}`);
}

/** The virtual environment of these requirements, made once. */
async function makeEnvironment(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sync-trigger");
  const hash = createHash("sha256");
  for (const file of [requirements, "examples/streamlit/requirements.txt"]) hash.update(readFileSync(file));
  const target = join(cache, `streamlit-${hash.digest("hex").slice(0, 16)}`);
  if (await succeeds([join(target, "bin", "python"), "-c", "import pytest, streamlit"])) return target;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  console.log(`making the virtual environment ${target} (once)`);
  // Scripts in it name its path, so it is made in place; the marker of a whole one is that it can import.
  const pip = [join(target, "bin", "python"), "-m", "pip", "install", "--quiet", "--only-binary=:all:"];
  for (const step of [
    ["python3", "-m", "venv", target],
    [...pip, "-r", requirements],
  ]) {
    const code = await run(step, {}, installTimeoutMs);
    if (code !== 0) throw new Error(`${step.join(" ")}: exit code ${code}`);
  }
  return target;
}

/** Brings the real cluster up with the example's image; the command then runs where it reaches the API server. */
async function openOwnCluster(inside: string[]): Promise<{ command: string[]; env: Record<string, string> }> {
  const { clusterEnvironment } = await import("../cluster/netns.ts");
  const { insideQuietNetwork } = await import("./quiet-network.ts");
  const { loadImage } = await import("../cluster/images.ts");
  const code = await run([process.execPath, "test/cluster/up.ts"], {}, installTimeoutMs);
  if (code !== 0) throw new Error(`the cluster did not come up: exit code ${code}`);
  const image = { context: "examples/kraken-sync", buildArgs: { BASE: "dev.local/node:24" } };
  await loadImage("dev.local/kraken-sync:1", image);
  return { command: insideQuietNetwork(inside), env: clusterEnvironment() };
}

function inPath(name: string): string[] {
  return (process.env.PATH ?? "").split(":").map((directory) => join(directory, name));
}

function isPath(argument: string): boolean {
  return existsSync(argument.replace(/::.*$/, ""));
}

async function succeeds(command: string[]): Promise<boolean> {
  return (await run(command, {}, 60_000, "ignore").catch(() => 1)) === 0;
}

async function run(
  [program = "", ...args]: string[],
  env: Record<string, string>,
  timeoutMs = 1_500_000,
  stdio: "inherit" | "ignore" = "inherit",
): Promise<number> {
  const child = spawn(program, args, { stdio, env: { ...process.env, ...env }, timeout: timeoutMs });
  const [code] = await once(child, "exit");
  return typeof code === "number" ? code : 1;
}
