// Bundles what runs in production: npm run build. Each output is one file that needs nothing but Node.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { packagesOf, toSbom } from "./sbom.ts";

const root = import.meta.dirname;

/** The programs of the image: name in dist/ and source. */
const entryPoints = { main: "functions/main.ts", "print-event": "functions/dead-letter/print-event.ts" };

type LeftOut = { names: string[]; because: string };

const viaProxy = "a kubeconfig with proxy-url is not supported; reach the API server directly";
const oldAuthProvider = "kubeconfig auth-providers azure and gcp cannot renew a token here; use an exec plugin";

/**
 * What a package imports but this function never calls, by module: half the bundle otherwise (libraries.md of the
 * design has the sizes). In a pod none of it can be reached; with a kubeconfig, what would be says why it fails.
 */
const leftOut: Record<string, LeftOut> = {
  "body-parser": {
    names: ["json", "raw", "text", "urlencoded"],
    because: "bodies are read by functions/body.ts, which counts bytes before it parses",
  },
  hpagent: { names: ["HttpProxyAgent", "HttpsProxyAgent"], because: viaProxy },
  "jsonpath-plus": { names: ["JSONPath"], because: oldAuthProvider },
  "mime-types": {
    names: ["charset", "contentType", "extension", "lookup"],
    because: "functions/app.ts sets every Content-Type itself",
  },
  "openid-client": {
    names: ["customFetch", "discovery", "refreshTokenGrant"],
    because: "the kubeconfig auth-provider oidc cannot renew its token here; use an exec plugin",
  },
  socks: { names: ["SocksClient"], because: viaProxy },
  "socks-proxy-agent": { names: ["SocksProxyAgent"], because: viaProxy },
  undici: {
    names: ["Agent", "ProxyAgent", "fetch"],
    because: "requests go out by functions/kubernetes/transport.ts, not by client-node's own HTTP client",
  },
};

/** Puts functions that throw in place of the modules above; a name that is missing there fails the build. */
const leaveOut: Plugin = {
  name: "leave-out",
  setup(esbuild) {
    const namespace = "left-out";
    const modules = new RegExp(`^(${Object.keys(leftOut).join("|")})$`);
    esbuild.onResolve({ filter: modules }, ({ path }) => ({ path, namespace, sideEffects: false }));
    esbuild.onLoad({ filter: /.*/, namespace }, ({ path }) => {
      const { names = [], because = "" } = leftOut[path] ?? {};
      const fail = `function fail() { throw new Error(${JSON.stringify(`${path} is not in this build: ${because}`)}); }`;
      return { contents: `${fail}\nexport { ${names.map((name) => `fail as ${name}`).join(", ")} };`, loader: "js" };
    });
  },
};

/** client-node does not say that its modules can be dropped when unused; so all 1,000 models would come along. */
const dropUnused: Plugin = {
  name: "drop-unused",
  setup(esbuild) {
    esbuild.onResolve({ filter: /./ }, async ({ path, pluginData, ...importing }) => {
      const ofClientNode = path === "@kubernetes/client-node" || /client-node.dist/.test(importing.importer);
      if (!ofClientNode || pluginData === namesItself) return undefined;
      const { kind, importer, resolveDir } = importing;
      const resolved = await esbuild.resolve(path, { kind, importer, resolveDir, pluginData: namesItself });
      return { ...resolved, sideEffects: false };
    });
    // Our messages are English; zod's fifty other languages weigh more than zod.
    esbuild.onLoad({ filter: /zod.v4.locales.index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};
const namesItself = Symbol("the plugin's own question");

/** Writes the bundles, their source maps, the licences of what is in them and its SBOM to a directory; says what went in. */
export async function bundle(directory: string): Promise<Metafile> {
  rmSync(directory, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm", // main.ts awaits at its top level
    // CommonJS packages ask for Node's own modules by require, which an ES module lacks.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    define: { "process.env.NODE_ENV": '"production"' },
    minify: true,
    sourcemap: "external", // for reading a stack trace later; the image does without
    legalComments: "none", // whole licences lie beside
    metafile: true,
    plugins: [leaveOut, dropUnused],
    logLevel: "warning",
  });
  writeFileSync(join(directory, "THIRD-PARTY-LICENSES.txt"), collectLicenses(metafile));
  writeFileSync(join(directory, "sbom.cdx.json"), toSbom(metafile));
  return metafile;
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
  const { outputs } = await bundle(join(root, "dist"));
  for (const [path, { bytes }] of Object.entries(outputs)) {
    if (path.endsWith(".mjs")) console.log(`${path} ${Math.ceil(bytes / 1000)} kB`);
  }
}
