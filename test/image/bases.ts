import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildBase, buildNode, NODE_IMAGE } from "../cluster/images/base.ts";
import { writeArchive } from "../cluster/images/build.ts";
import { CACHE_DIR } from "../cluster/machine/paths.ts";
import { run } from "../cluster/machine/run.ts";

/** Node with npm, and with what this machine's npm needs to reach its registry. */
export const NPM_IMAGE = "dev.local/npm:24";

/** Of the line that comes with Node 24. */
const npmVersion = "11.6.2";

/** npm's own package, fetched once: the packages that bring Node bring no npm. */
async function fetchNpm(): Promise<string> {
  const name = `npm-${npmVersion}.tgz`;
  const target = join(CACHE_DIR, name);
  if (existsSync(target)) return target;
  const temporary = `${CACHE_DIR}/npm-${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  await run("npm", ["pack", "--silent", `npm@${npmVersion}`], { cwd: temporary, timeoutMs: 120_000 });
  renameSync(join(temporary, name), target);
  rmSync(temporary, { recursive: true });
  return target;
}

async function buildNpm(): Promise<string> {
  const node = await buildNode();
  const registry = (await run("npm", ["config", "get", "registry"])).trim();
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  const files = { "npm.tgz": await fetchNpm(), ...(authorities ? { "authorities.pem": authorities } : {}) };
  return buildBase({
    name: NPM_IMAGE,
    key: `${npmVersion} on ${node}`,
    files,
    dockerfile: [
      `FROM ${NODE_IMAGE}`,
      "USER 0:0",
      "ADD npm.tgz /usr/local/lib/npm/",
      "RUN chmod 755 /usr/local/lib/npm/package/bin/npm-cli.js && ln -s /usr/local/lib/npm/package/bin/npm-cli.js /usr/local/bin/npm",
      `ENV npm_config_registry=${registry}`,
      ...(authorities
        ? ["COPY authorities.pem /etc/authorities.pem", "ENV NODE_EXTRA_CA_CERTS=/etc/authorities.pem"]
        : []),
      "",
    ].join("\n"),
  });
}

/** Writes the archives of what the Dockerfile is built from here, in place of its default bases, to a directory. */
export async function writeBases(directory: string): Promise<string[]> {
  const images = { [NODE_IMAGE]: await buildNode(), [NPM_IMAGE]: await buildNpm() };
  const archives: string[] = [];
  for (const [index, [name, id]] of Object.entries(images).entries()) {
    const archive = join(directory, `${index}.tar`);
    await writeArchive(id, name, archive);
    archives.push(archive);
  }
  return archives;
}
