import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readmeMetrics, readNewestResults, toReadmeRows } from "./bench/readme-rows.ts";
import { toResults } from "./bench/results.ts";
import { readTable } from "./support/markdown-table.ts";

const readme = readFileSync("README.md", "utf8");
const { path, file } = readNewestResults();

describe("README's figures", () => {
  it("are those of the newest result file, which it names", () => {
    expect(readme).toContain(`(${path})`);
    expect(readTable(readme, "bench")).toEqual(toReadmeRows(file));
    expect(toReadmeRows(file)).toHaveLength(readmeMetrics.length);
    for (const [metric, own] of toReadmeRows(file)) expect(own, metric).not.toBe("");
  });

  it("have the commands that made them beside them", () => {
    const commands = Object.values(file.parts).map(({ command }) => command);
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(readme).toContain(command);
  });

  it("outside the table are medians of the file or ratios of them", () => {
    const section = readme.split("## Fast and small")[1]?.split("\n## ")[0] ?? "";
    const named = [...section.matchAll(/([\d.,]+) (ms|MB|kB)\b/g)].map(([, value = ""]) =>
      Number(value.replace(",", "")),
    );
    const known = file.results.flatMap(({ median, min, max }) => [median, min, max]);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((value) => !known.includes(value))).toEqual([]);
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
});
