import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { SETTINGS } from "../functions/config.ts";
import { FAULTS } from "../functions/errors.ts";
import { METRICS } from "../functions/metrics.ts";
import { ofKind, readManifests } from "./manifests/read-manifests.ts";
import { readTable } from "./support/markdown-table.ts";

const readme = readFileSync("README.md", "utf8");

describe("README", () => {
  it("lists the settings as they are: name, default and meaning, in the table's order", () => {
    const expected = Object.entries(SETTINGS).map(([name, { about, fallback, required }]) => [
      `\`${name}\``,
      required ? "*required*" : fallback === undefined ? "*unset*" : `\`${fallback}\``,
      about,
    ]);
    expect(readTable(readme, "settings")).toEqual(expected);
  });

  it("lists the errors as they are: code, status, who retries and meaning, in the catalogue's order", () => {
    const expected = Object.entries(FAULTS).map(([code, { status, retriedBy, meaning }]) => [
      `\`${code}\``,
      String(status),
      retriedBy,
      meaning,
    ]);
    expect(readTable(readme, "errors")).toEqual(expected);
  });

  it("lists the metrics as they are: name and meaning, in the code's order", () => {
    const expected = Object.entries(METRICS).map(([name, help]) => [`\`${name}\``, help]);
    expect(readTable(readme, "metrics")).toEqual(expected);
  });

  it("lists the Dockerfile's build arguments with their defaults", () => {
    const rows = readTable(readme, "build-arguments").map(([name, fallback]) => [name, fallback]);
    const declared = readFileSync("Dockerfile", "utf8").matchAll(/^ARG (\w+)=(.*)$/gm);
    expect(rows).toEqual([...declared].map(([, name, fallback]) => [`\`${name}\``, `\`${fallback}\``]));
  });

  it("lists every directory of manifests/ that an operator applies or adds to an overlay", () => {
    const rows = readTable(readme, "manifests").map(([path]) => `manifests/${path?.replaceAll("`", "")}`);
    const directories = ofKind(readManifests(), "Kustomization", "Component").map(({ path }) => dirname(path));
    expect(rows.toSorted()).toEqual(directories.filter((path) => path !== "manifests/wiring").sort());
  });

  it("has its first command by line 20", () => {
    const line = readme.split("\n").findIndex((text) => /^```(sh|bash|shell|console)?$/.test(text));
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThan(20);
  });

  it("names no setting in capitals that does not exist", () => {
    const prefixes = new Set(Object.keys(SETTINGS).map((name) => name.split("_")[0]));
    const named = [...readme.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name = ""]) => name);
    const unknown = named.filter((name) => prefixes.has(name.split("_")[0]) && !(name in SETTINGS));
    expect(named).toContain("CRONJOB_NAME");
    expect(unknown).toEqual([]);
  });
});

describe("readTable", () => {
  const table = "x\n<!-- t -->\n\n| a | b |\n| --- | --- |\n| `1` | two \\| three |\n|4||\n\n<!-- /t -->\n| 5 | 6 |";

  it("gives the cells of the rows between the comments", () => {
    expect(readTable(table, "t")).toEqual([
      ["`1`", "two | three"],
      ["4", ""],
    ]);
  });

  it.each([
    ["no beginning", table.replace("<!-- t -->", "")],
    ["no end", table.replace("<!-- /t -->", "")],
    ["two beginnings", `${table}<!-- t -->`],
  ])("throws for %s", (_what, markdown) => {
    expect(() => readTable(markdown, "t")).toThrow("expected one section");
  });
});
