import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE_DIR, CLUSTER_DIR } from "./paths.ts";
import { run } from "./run.ts";
import { say } from "./say.ts";

/** Programs that one go.mod under go/ pins: the name each gets, and its package. */
export interface GoGroup {
  name: string;
  programs: Record<string, string>;
  linkerFlags?: string;
}

async function cacheKey(group: GoGroup, sources: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of readdirSync(sources, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(go|mod|sum)$/.test(file)) hash.update(`${file}\0`).update(readFileSync(join(sources, file)));
  }
  hash.update(JSON.stringify(group)).update(await run("go", ["version"]));
  return hash.digest("hex").slice(0, 16);
}

/** Builds the programs of a group, or finds them built, and returns the directory that holds them. */
export async function buildPrograms(group: GoGroup): Promise<string> {
  const sources = join(CLUSTER_DIR, "go", group.name);
  const target = join(CACHE_DIR, "bin", `${group.name}-${await cacheKey(group, sources)}`);
  if (existsSync(target)) return target;

  mkdirSync(join(CACHE_DIR, "bin"), { recursive: true });
  // Built aside and renamed at the end: a directory of the right name is always complete.
  const temporary = mkdtempSync(join(CACHE_DIR, "bin", ".building-"));
  try {
    for (const [name, goPackage] of Object.entries(group.programs)) {
      say(`building ${group.name}/${name} (once; kept in ${target})`);
      const flags = ["-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${group.linkerFlags ?? ""}`.trim()];
      await run("nice", ["go", "build", ...flags, "-o", join(temporary, name), goPackage], {
        cwd: sources,
        env: { CGO_ENABLED: "0" },
        timeoutMs: 40 * 60_000,
      });
    }
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** Where the sources of a Go module lie, at the version that a group's go.mod selects; fetched when missing. */
export async function moduleDirectory(group: string, module: string): Promise<string> {
  const cwd = join(CLUSTER_DIR, "go", group);
  await run("go", ["mod", "download", module], { cwd, timeoutMs: 600_000 });
  return (await run("go", ["list", "-m", "-f", "{{.Dir}}", module], { cwd })).trim();
}
