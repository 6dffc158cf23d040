// Bundles what runs in production: npm run build. Each output is one file that needs nothing but Node.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { leaveOut, loadLater, takeParts } from "./packaging/plugins.ts";
import { packagesOf, toSbom } from "./sbom.ts";

const root = import.meta.dirname;

/** Writes the programs, the source map, the licences of what is in them and its SBOM to a directory; says what went in. */
export async function bundle(directory: string): Promise<Metafile> {
  rmSync(directory, { recursive: true, force: true });
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node24",
    define: { "process.env.NODE_ENV": '"production"' },
    minify: true,
    lineLimit: 500, // an uncaught error prints its line of the program
    legalComments: "none", // whole licences lie beside
    metafile: true,
    logLevel: "warning",
  } as const satisfies BuildOptions;
  const { metafile } = await build({
    ...common,
    entryPoints: ["functions/main.ts"],
    outfile: join(directory, "sync-trigger.cjs"),
    format: "cjs", // V8 takes a code cache for scripts alone, and Node starts 25 ms earlier without its ESM loader
    banner: { js: '(function (require) {"use strict";' },
    footer: { js: "})" },
    sourcemap: "external", // read when a stack trace is asked for
    sourcesContent: false,
    inject: ["packaging/clock.ts"],
    plugins: [leaveOut, loadLater, takeParts],
  });
  nameSourcesFromRoot(join(directory, "sync-trigger.cjs.map"));
  const loader = { main: "packaging/start.ts", "cache-code": "packaging/cache-code.ts" };
  await build({ ...common, entryPoints: loader, outdir: directory, outExtension: { ".js": ".cjs" }, format: "cjs" });
  const { metafile: beside } = await build({
    ...common,
    entryPoints: { "print-event": "functions/dead-letter/print-event.ts" },
    outdir: directory,
    format: "esm",
    outExtension: { ".js": ".mjs" },
  });
  const shipped = {
    inputs: { ...metafile.inputs, ...beside.inputs },
    outputs: { ...metafile.outputs, ...beside.outputs },
  };
  writeFileSync(join(directory, "THIRD-PARTY-LICENSES.txt"), collectLicenses(shipped));
  writeFileSync(join(directory, "sbom.cdx.json"), toSbom(shipped));
  return shipped;
}

/** The same map wherever the bundle is built: its sources as paths from the project's root. */
function nameSourcesFromRoot(path: string): void {
  const map = JSON.parse(readFileSync(path, "utf8")) as { sources: string[] };
  const isSubstitute = (source: string) => /^[a-z-]+:/.test(source);
  const fromRoot = (source: string) => relative(root, resolve(dirname(path), source));
  const sources = map.sources.map((source) => (isSubstitute(source) ? source : fromRoot(source)));
  writeFileSync(path, JSON.stringify({ ...map, sources }));
}

/** Makes the code cache of a bundle, for the Node that runs this. Throws when the program does not serve. */
export function cacheCode(directory: string): void {
  execFileSync(process.execPath, [join(directory, "cache-code.cjs")], { stdio: ["ignore", "ignore", "inherit"] });
}

/** The licence files of all packages whose code is in the outputs, one after the other. */
function collectLicenses(metafile: Metafile): string {
  return packagesOf(metafile)
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
      const files = readdirSync(join(root, path)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
      const texts = files.map((file) => readFileSync(join(root, path, file), "utf8").trim());
      return [`${name} ${version} (${license})`, ...texts].join("\n\n");
    })
    .join(`\n\n${"-".repeat(80)}\n\n`);
}

if (import.meta.main) {
  const directory = join(root, "dist");
  const { outputs } = await bundle(directory);
  cacheCode(directory);
  for (const [path, { bytes }] of Object.entries(outputs)) {
    if (path.endsWith(".cjs")) console.error(`${path} ${Math.ceil(bytes / 1000)} kB`);
  }
}
