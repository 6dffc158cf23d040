import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../build.ts";
import { packagesOf } from "../sbom.ts";

type Component = { name: string; version: string; purl: string; hashes: { content: string }[]; licenses: object[] };
type Bom = { bomFormat: string; components: Component[]; dependencies: { ref: string; dependsOn: string[] }[] };
type Locked = { version: string; integrity?: string; hasInstallScript?: boolean; dev?: boolean };

const directory = mkdtempSync(join(tmpdir(), "sync-trigger-supply-"));
const dist = join(directory, "dist");
let paths: string[];
let bom: Bom;
let licenses: string[];
beforeAll(async () => {
  paths = packagesOf(await bundle(dist));
  bom = JSON.parse(readFileSync(join(dist, "sbom.cdx.json"), "utf8"));
  licenses = readFileSync(join(dist, "THIRD-PARTY-LICENSES.txt"), "utf8").split(`\n\n${"-".repeat(80)}\n\n`);
});
afterAll(() => rmSync(directory, { recursive: true }));

const nameOf = (path: string) => path.replace(/^.*node_modules\//, "");
const locked: Record<string, Locked> = JSON.parse(readFileSync("package-lock.json", "utf8")).packages;

describe("the bill of materials", () => {
  it("has every package whose code ships, in the lockfile's version and with its digest, and no other", () => {
    expect(paths.length).toBeGreaterThan(10);
    const expected = paths.map((path) => {
      const { version, integrity = "" } = locked[path] ?? { version: "" };
      return [nameOf(path), version, Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex")];
    });
    expect(bom.components.map(({ name, version, hashes }) => [name, version, hashes[0]?.content])).toEqual(expected);
  });

  // Not `npm sbom --omit dev`: it leaves out what something of development needs as well, zod among it.
  it("names no package that only development needs, as the lockfile tells", () => {
    expect(paths.filter((path) => locked[path]?.dev)).toEqual([]);
    expect(Object.values(locked).some(({ dev }) => dev)).toBe(true);
  });

  it("is CycloneDX whose references lead somewhere", () => {
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    const known = bom.components.map((component) => (component as unknown as { "bom-ref": string })["bom-ref"]);
    expect(bom.dependencies.flatMap(({ dependsOn }) => dependsOn)).toEqual(known);
    expect(new Set(known).size).toBe(known.length);
  });

  it("gives each a licence that may be passed on with ours", () => {
    const unknown = bom.components.filter(
      ({ licenses: own }) =>
        !/"(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Python-2\.0|BlueOak-1\.0\.0)"/.test(JSON.stringify(own)),
    );
    expect(unknown.map(({ purl }) => purl)).toEqual([]);
  });

  it("has the same bytes for the same inputs", async () => {
    const again = join(directory, "again");
    await bundle(again);
    for (const file of readdirSync(dist)) {
      expect(readFileSync(join(again, file)).equals(readFileSync(join(dist, file))), file).toBe(true);
    }
  });
});

describe("the licences beside the bundle", () => {
  it("are one for each package, with its own words", () => {
    expect(licenses.map((text) => text.split(" ")[0])).toEqual(paths.map(nameOf));
    const wordless = licenses.filter(
      (text) => !/permission|redistribution|license/i.test(text.split("\n").slice(2).join("\n")),
    );
    expect(wordless.map((text) => text.split("\n")[0])).toEqual([]);
  });
});

describe("what is installed", () => {
  const others = Object.entries(locked).filter(([path]) => path !== "");

  it("is pinned by digest", () => {
    expect(others.length).toBeGreaterThan(50);
    expect(others.filter(([, { integrity }]) => !integrity?.startsWith("sha512-")).map(([path]) => path)).toEqual([]);
  });

  it("runs no script of its own when it is installed, but two that need none", () => {
    const scripts = others.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    // Each only checks or speeds up what its platform's package brings: the build works with --ignore-scripts.
    expect(scripts.filter((name) => !["esbuild", "fsevents"].includes(name))).toEqual([]);
  });
});

describe("the CI's actions", () => {
  const workflows = readdirSync(".github/workflows").map((file) =>
    readFileSync(join(".github/workflows", file), "utf8"),
  );
  const uses = workflows.flatMap((text) => [...text.matchAll(/uses: (.*)$/gm)].map(([, what = ""]) => what));

  it("are pinned by commit, with the version they have beside it", () => {
    expect(uses.length).toBeGreaterThan(0);
    for (const use of uses) expect(use).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("get no token, and leave none behind", () => {
    for (const text of workflows) {
      expect(text).toMatch(/^permissions: \{\}$/m);
      const checkouts = text.match(/actions\/checkout@/g)?.length ?? 0;
      expect(text.match(/persist-credentials: false/g)?.length ?? 0).toBe(checkouts);
    }
  });
});
