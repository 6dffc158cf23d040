import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { ofKind, readManifests } from "./read-manifests.ts";

const files = readManifests();
const kustomizations = ofKind(files, "Kustomization", "Component");

/** What a kustomization.yaml names, as paths; a directory counts as its kustomization.yaml. */
const references = kustomizations.flatMap(({ path, object }) =>
  [...(object.resources ?? []), ...(object.components ?? []), ...(object.transformers ?? [])].map((reference) => ({
    from: path,
    to: normalize(join(dirname(path), reference)),
  })),
);

test.each(references)("$from names $to, which exists", ({ to }) => {
  expect(existsSync(to)).toBe(true);
  if (statSync(to).isDirectory()) expect(existsSync(join(to, "kustomization.yaml"))).toBe(true);
});

test("every file is named by a kustomization.yaml", () => {
  const named = references.map(({ to }) => to);
  const paths = [...new Set(files.map(({ path }) => path))];
  const orphans = paths.filter((path) => !path.endsWith("/kustomization.yaml") && !named.includes(path));
  expect(orphans).toEqual([]);
});

/**
 * A right and an API request for each run that only some want, what most clusters lack the means for, the operator's own
 * Secret: README says how to add them to an overlay.
 */
const inNoOverlay = ["events", "monitoring", "token-auth"].map((name) => `manifests/components/${name}`);

test("every component is part of an overlay, but for those that each has its reason", () => {
  const named = references.map(({ to }) => to);
  const components = ofKind(files, "Component").map(({ path }) => dirname(path));
  expect(components.length).toBeGreaterThan(0);
  expect(components.filter((directory) => !named.includes(directory))).toEqual(inNoOverlay);
});

test.each(kustomizations)("$path says what it is", ({ path }) => {
  expect(readFileSync(path, "utf8")).toMatch(/^# .{20}/);
});

test.each(kustomizations)("$path says what each resource is for", ({ path }) => {
  const lists = readFileSync(path, "utf8").match(/^(resources|components):(.*\n(?: .*\n)*)/gm) ?? [];
  const lines = lists.flatMap((list) => list.split("\n"));
  expect(lines.filter((line) => /^(\s+- |\w+: *\[)/.test(line) && !/ # .{5}/.test(line))).toEqual([]);
});
