import { describe, expect, it } from "vitest";
import { type Import, importsOf, readSources } from "./support/imports.ts";

/** The layers of functions/, from the process down to the pure core; a file belongs to the first that names it. */
const layers: [layer: string, files: RegExp][] = [
  ["main", /^main\.ts$/],
  ["programs", /^dead-letter\//],
  ["http", /^(app|admission|server|send-reply|body|problem)\.ts$/],
  ["routes", /^(routes\/|openapi\.ts$)/],
  ["auth", /^auth(\/|\.ts$)/],
  ["jobs", /^jobs\//],
  [
    "trigger",
    /^(trigger|create-once|create-recorded|find-known|reserve-key|record-store|policy-canary|run-announcer)\.ts$/,
  ],
  ["kubernetes", /^kubernetes\//],
  ["core", /^core\//],
  ["route.ts", /^route\.ts$/],
  ["share-runs.ts", /^(share-runs|until-aborted)\.ts$/],
  ["metrics.ts", /^metrics\.ts$/],
  ["config.ts", /^config\.ts$/],
  ["log.ts", /^log\.ts$/],
  ["errors.ts", /^errors\.ts$/],
];

/** Who may import whom: the arrow main -> app -> routes -> trigger -> core, kubernetes, and what may be had anywhere. */
const allowed: Record<string, string[]> = {
  main: ["http", "auth", "trigger", "kubernetes", "metrics.ts", "config.ts", "log.ts"],
  http: ["routes", "core", "errors.ts"],
  routes: ["trigger", "jobs", "share-runs.ts", "core", "errors.ts"],
  auth: ["share-runs.ts", "core", "errors.ts"],
  jobs: ["kubernetes", "share-runs.ts", "core", "errors.ts"],
  trigger: ["kubernetes", "share-runs.ts", "core", "errors.ts"],
  kubernetes: ["share-runs.ts", "core", "config.ts", "errors.ts"],
  core: ["errors.ts"],
  "metrics.ts": ["kubernetes", "core"],
  "config.ts": ["core"],
};

/** Whom more may be imported from for types alone, which leave no trace in what runs. */
const allowedForTypes: Record<string, string[]> = {
  http: ["auth", "trigger", "metrics.ts", "config.ts", "log.ts", "route.ts"],
  routes: ["http", "metrics.ts", "config.ts", "route.ts"],
  auth: ["config.ts"],
  jobs: ["config.ts", "log.ts"],
  trigger: ["metrics.ts", "config.ts", "log.ts"],
  "route.ts": ["core", "log.ts"],
};

/** Which packages each layer may load; Node's own where they say something about the layer. */
const packages: Record<string, string[]> = {
  http: ["express"],
  routes: ["zod/mini", "cloudevents"],
  auth: ["jose"],
  jobs: ["zod/mini"],
  kubernetes: ["@kubernetes/client-node"],
  core: ["zod/mini", "node:crypto"],
  "metrics.ts": ["prom-client"],
  "log.ts": ["pino"],
};
const packagesForTypes: Record<string, string[]> = { core: ["cloudevents"] };

const sources = readSources("functions");
const imports = [...sources].flatMap(([path, source]) => importsOf(path, source));
const layerOf = (path: string) => layers.find(([, files]) => files.test(path))?.[0] ?? `no layer: ${path}`;

const between = imports
  .filter(({ isPackage }) => !isPackage)
  .map(({ from, to, isTypeOnly }) => ({ from: layerOf(from), to: layerOf(to), isTypeOnly, of: from }))
  .filter(({ from, to }) => from !== to);

describe("the import arrow of functions/", () => {
  it("knows the layer of each file, and has a file for each layer", () => {
    expect([...sources.keys()].map(layerOf).filter((layer) => layer.startsWith("no layer"))).toEqual([]);
    expect(layers.map(([layer]) => layer)).toEqual(
      layers.map(([layer]) => layer).filter((layer) => [...sources.keys()].some((path) => layerOf(path) === layer)),
    );
  });

  it("is kept by every import", () => {
    const wrong = between.filter(({ from, to, isTypeOnly }) => {
      if (allowed[from]?.includes(to)) return false;
      return !(isTypeOnly && allowedForTypes[from]?.includes(to));
    });
    expect(wrong).toEqual([]);
  });

  it("has no row that nothing uses", () => {
    const isUsed = (from: string, to: string, isTypeOnly: boolean) =>
      between.some((edge) => edge.from === from && edge.to === to && (isTypeOnly || !edge.isTypeOnly));
    expect(rowsOf(allowed).filter(([from, to]) => !isUsed(from, to, false))).toEqual([]);
    expect(rowsOf(allowedForTypes).filter(([from, to]) => !isUsed(from, to, true))).toEqual([]);
    expect(rowsOf(allowedForTypes).filter(([from, to]) => allowed[from]?.includes(to))).toEqual([]);
  });

  it("points one way: no file is loaded to load itself", () => {
    const loads = Map.groupBy(
      imports.filter(({ isPackage, isTypeOnly }) => !isPackage && !isTypeOnly),
      ({ from }) => from,
    );
    const layerLoads = Map.groupBy(rowsOf(allowed), ([from]) => from);
    for (const path of sources.keys())
      expect(
        reachable(path, (at) => targets(loads.get(at))),
        path,
      ).not.toContain(path);
    for (const layer of Object.keys(allowed)) {
      const below = reachable(layer, (at) => layerLoads.get(at)?.map(([, to]) => to) ?? []);
      expect(below, layer).not.toContain(layer);
    }
  });

  it("ends at functions/: the embedded cluster and the tests are never imported", () => {
    expect(imports.filter(({ to, isPackage }) => !isPackage && !sources.has(to))).toEqual([]);
  });

  it("has each package where its layer is", () => {
    const ours = imports
      .filter(({ from, to, isPackage }) => isPackage && (!to.startsWith("node:") || layerOf(from) === "core"))
      .map(({ from, to, isTypeOnly }) => ({ layer: layerOf(from), to, isTypeOnly, from }));
    const isAllowed = ({ layer, to, isTypeOnly }: { layer: string; to: string; isTypeOnly: boolean }) =>
      packages[layer]?.includes(to) || (isTypeOnly && packagesForTypes[layer]?.includes(to));
    expect(ours.filter((one) => !isAllowed(one))).toEqual([]);
    const isUsed = (layer: string, to: string, isTypeOnly: boolean) =>
      ours.some((one) => one.layer === layer && one.to === to && one.isTypeOnly === isTypeOnly);
    expect(rowsOf(packages).filter(([layer, to]) => !isUsed(layer, to, false))).toEqual([]);
    expect(rowsOf(packagesForTypes).filter(([layer, to]) => !isUsed(layer, to, true))).toEqual([]);
  });
});

describe("what only some files may touch", () => {
  it.each<[what: string, pattern: RegExp, files: string[]]>([
    ["the environment", /\bprocess\.env\b/, ["dead-letter/print-event.ts", "main.ts"]],
    ["the response", /\bServerResponse\b|\.(setHeader|writeHead|flushHeaders)\(/, ["send-reply.ts"]],
    ["Express", /from "express"/, ["app.ts"]],
    ["exiting", /\bprocess\.exit/, ["main.ts"]],
  ])("%s", (_what, pattern, files) => {
    expect([...sources].filter(([, source]) => pattern.test(source)).map(([path]) => path)).toEqual(files);
  });

  it.each([
    ["the clock", /\bDate\.now\(|\bnew Date\(\)|\bperformance\b/],
    ["chance", /\bMath\.random\b|\brandom(UUID|Bytes|Int)\b/],
    ["timers", /\bset(Timeout|Interval|Immediate)\b/],
    ["the process", /\bprocess\./],
    ["the network or files", /\bfetch\(|"node:(?!crypto")/],
    ["waiting", /\basync\b|\bawait\b|\bPromise\b/],
  ])("not %s, in core: data in, data out", (_what, pattern) => {
    const core = [...sources].filter(([path]) => layerOf(path) === "core");
    expect(core.length).toBeGreaterThan(10);
    expect(core.filter(([, source]) => pattern.test(withoutComments(source))).map(([path]) => path)).toEqual([]);
  });
});

describe("importsOf", () => {
  it.each<[source: string, expected: Partial<Import>[]]>([
    ['import { a } from "./b.ts";', [{ to: "x/b.ts", isPackage: false, isTypeOnly: false }]],
    ['import type { A } from "../b.ts";', [{ to: "b.ts", isTypeOnly: true }]],
    ['import { type A, type B } from "../b.ts";', [{ to: "b.ts", isTypeOnly: true }]],
    ['import {\n  type A,\n  b,\n} from "../b.ts";', [{ to: "b.ts", isTypeOnly: false }]],
    ['import b, { type A } from "express";', [{ to: "express", isPackage: true, isTypeOnly: false }]],
    ['import "./b.ts";', [{ to: "x/b.ts", isTypeOnly: false }]],
    ['export * from "./b.ts";', [{ to: "x/b.ts", isTypeOnly: false }]],
    ['  const b = await import("../../dev/b.ts");', [{ to: "../dev/b.ts", isTypeOnly: false }]],
    ['type B = typeof import("jose");', [{ to: "jose", isTypeOnly: true }]],
    ['// import { a } from "./b.ts";', []],
  ])("reads %s", (source, expected) => {
    expect(importsOf("x/a.ts", source)).toMatchObject(expected);
    expect(importsOf("x/a.ts", source)).toHaveLength(expected.length);
  });
});

function rowsOf(table: Record<string, string[]>): [from: string, to: string][] {
  return Object.entries(table).flatMap(([from, tos]) => tos.map((to): [string, string] => [from, to]));
}

function targets(of: Import[] = []): string[] {
  return of.map(({ to }) => to);
}

/** Everything that can be reached from a start by one step or more. */
function reachable(start: string, next: (at: string) => string[]): string[] {
  const seen = new Set<string>();
  const left = next(start);
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    left.push(...next(at));
  }
  return [...seen];
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}
