import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { leftOut, loadedLater } from "./left-out.ts";

const anyOf = (modules: object) => new RegExp(`^(${Object.keys(modules).join("|").replaceAll(".", "\\.")})$`);

/** Puts substitutes in place of the modules of left-out.ts; a name that is missing there fails the build. */
export const leaveOut: Plugin = {
  name: "leave-out",
  setup(esbuild) {
    const namespace = "left-out";
    esbuild.onResolve({ filter: anyOf(leftOut) }, ({ path }) => ({ path, namespace, sideEffects: false }));
    esbuild.onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: substitute(path), loader: "js" }));
  },
};

function substitute(path: string): string {
  const { names, because = "", source } = leftOut[path] ?? {};
  if (source) return source;
  const fail = `function fail() { throw new Error(${JSON.stringify(`${path} is not in this build: ${because}`)}); }`;
  if (!names) return `${fail}\nmodule.exports = fail;`;
  return `${fail}\nexport { ${names.map((name) => `fail as ${name}`).join(", ")} };`;
}

/** Has the modules of left-out.ts that a pod never needs loaded by the first call. */
export const loadLater: Plugin = {
  name: "load-later",
  setup(esbuild) {
    const namespace = "loaded-later";
    esbuild.onResolve({ filter: anyOf(loadedLater) }, ({ path, importer, resolveDir }) => {
      if (!importer.includes(`/node_modules/${loadedLater[path]?.askedBy}/`)) return undefined;
      return { path, namespace, pluginData: resolveDir, sideEffects: false };
    });
    esbuild.onLoad({ filter: /./, namespace }, ({ path, pluginData }) => {
      const { names, source } = loadedLater[path] ?? {};
      if (source) return { contents: source, loader: "js" };
      if (!names)
        return { contents: `module.exports = (...given) => require("node:${path}")(...given);`, loader: "js" };
      const calls = names.map((name) => `export const ${name} = (...given) => require("./part").${name}(...given);`);
      const whole = `export default { ${names.join(", ")} };`;
      return {
        contents: [...calls, whole].join("\n"),
        loader: "js",
        resolveDir: pluginData as string,
        pluginData: path,
      };
    });
    // Between the two, so that only the names asked for come along.
    esbuild.onResolve({ filter: /^.\/part$/, namespace }, ({ importer, resolveDir }) => ({
      ...{ path: importer, namespace: "part", pluginData: resolveDir },
    }));
    esbuild.onLoad({ filter: /./, namespace: "part" }, ({ path, pluginData }) => ({
      contents: `export { ${loadedLater[path]?.names?.join(", ")} } from "${path}";`,
      resolveDir: pluginData as string,
    }));
  },
};

/**
 * Of client-node KubeConfig alone: its index would have esbuild read 1,000 models to find out that none is used, ten
 * seconds of CPU time at each build. Of zod the one language of our messages: the other fifty weigh more than zod.
 */
export const takeParts: Plugin = {
  name: "take-parts",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^@kubernetes\/client-node$/ }, async ({ path, pluginData, kind, resolveDir }) => {
      if (pluginData === indexItself) return undefined;
      const index = await esbuild.resolve(path, { kind, resolveDir, pluginData: indexItself });
      return { path: join(dirname(index.path), "config.js"), sideEffects: false };
    });
    esbuild.onLoad({ filter: /zod.v4.locales.index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};
const indexItself = Symbol("the plugin's own question");
