import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toReadmeTables, writeTables } from "./bench/readme-tables.ts";
import { readNewestResults } from "./bench/result-file.ts";
import { toResults } from "./bench/results.ts";
import { readTable } from "./support/markdown-table.ts";

const readme = readFileSync("README.md", "utf8");
const { path, file } = readNewestResults();
const tables = toReadmeTables(file);
const section = readme.split("## Fast and small")[1]?.split("\n## ")[0] ?? "";

describe("README's figures", () => {
  it.each(tables)("in the table $name are those of the newest result file", ({ name, rows }) => {
    expect(readTable(readme, name)).toEqual(rows);
    expect(rows.flat().join()).toMatch(/\d/);
  });

  it("have the file that they are from beside them, and what each part of it was measured by and of", () => {
    expect(section).toContain(`(${path})`);
    expect(Object.keys(file.parts).sort()).toEqual(["growth", "knative", "size", "start", "throughput"]);
    for (const { command, commit } of Object.values(file.parts)) {
      expect(command).toMatch(/^npm run bench -- --part \w+ --rounds \d+ --write$/);
      expect(commit).toMatch(/^[0-9a-f]{7,}$/);
    }
  });

  it("are in its tables alone: a sentence would keep an old one", () => {
    const withoutTables = section.replace(/<!-- (bench.*?) -->.*?<!-- \/\1 -->/gs, "").replace(/```.*?```/gs, "");
    expect(withoutTables.length).toBeLessThan(section.length / 2);
    expect(withoutTables.match(/\d[\d.,]* (ms|MB|kB|times|%|a second)/g) ?? []).toEqual([]);
    expect(withoutTables.match(/\d+\.\d+/g) ?? []).toEqual([]);
  });
});

describe("a result file", () => {
  it("names the machine by what counts, not by its name", () => {
    expect(Object.keys(file.machine).sort()).toEqual(["cores", "cpu", "kernel", "memoryGb", "node"]);
  });

  it("has ratios of medians, and none where the peer has no such row", () => {
    const rows = toResults([
      { name: "floor", metric: "m", unit: "ms", values: [3, 1, 2] },
      { name: "sync-trigger", metric: "m", unit: "ms", values: [5, 1, 4, 2] },
      { name: "sync-trigger", metric: "n", unit: "ms", values: [1] },
    ]);
    expect(rows.slice(1)).toMatchObject([
      { median: 3, min: 1, max: 5, rounds: 4, ratioToFloor: 1.5, ratioToFastapi: null },
      { median: 1, ratioToFloor: null },
    ]);
  });

  it("goes into README's tables, and nowhere without one", () => {
    const table = { name: "t", head: ["a", ""], rows: [["1", "2"]] };
    const [before, after] = ["test/bench/results/2000-01-01.json", "test/bench/results/2000-01-02.json"];
    expect(writeTables(`(${before}) <!-- t -->old<!-- /t --> y`, [table], after)).toBe(
      `(${after}) <!-- t -->\n\n| a | |\n| --- | --- |\n| 1 | 2 |\n\n<!-- /t --> y`,
    );
    expect(() => writeTables("x", [table], after)).toThrow("README has no place for the table t");
  });

  it("tells a target that is missed", () => {
    const targets = (factor: number) => {
      const results = file.results.map((row) =>
        row.name === "sync-trigger" && /first Job|Jobs at 16 connections$/.test(row.metric)
          ? { ...row, median: row.median * factor }
          : row,
      );
      const rows = toReadmeTables({ ...file, results }).find(({ name }) => name === "bench targets")?.rows ?? [];
      return rows.filter(([what]) => /^(exec to first Job|Jobs at 16)/.test(what ?? "")).map((row) => row[3]);
    };
    expect(targets(10)).toEqual(["missed", "reached", "reached"]);
    expect(targets(0.1)).toEqual(["reached", "missed", "missed"]);
  });
});
