import { dirname } from "node:path";
import { expect, test } from "vitest";
import { grantingDirectories, rightsNeededOf, toRights } from "../support/rights.ts";
import { ofKind, readManifests } from "./read-manifests.ts";

const files = readManifests();
const roles = ofKind(files, "Role", "ClusterRole");
const cronJobName = "kraken-sync"; // what stands there before an overlay's name does

test.each(grantingDirectories)("%s grants exactly what the code asks of it", (directory) => {
  const granted = roles.filter(({ path }) => dirname(path) === directory);
  expect(granted.flatMap(({ object }) => toRights(object.rules)).sort()).toEqual(
    rightsNeededOf(directory, cronJobName),
  );
});

test("no other directory grants anything", () => {
  const others = roles.map(({ path }) => dirname(path)).filter((path) => !grantingDirectories.includes(path));
  expect(others).toEqual([]);
});

test.each(roles)("$path has no verb that deletes or is a wildcard, and is no ClusterRole", ({ object }) => {
  expect(object.kind).toBe("Role");
  const words = object.rules.flatMap((rule) => Object.values(rule).flat());
  expect(words.filter((word) => /\*|delete|escalate|bind|impersonate/.test(word))).toEqual([]);
});

test.each(roles)("$path is bound to our ServiceAccount and to nobody else", ({ path, object }) => {
  const bindings = ofKind(files, "RoleBinding", "ClusterRoleBinding").filter(
    (binding) => binding.object.roleRef.name === object.metadata.name,
  );
  expect(bindings.map((binding) => [dirname(binding.path), binding.object.kind, binding.object.roleRef.kind])).toEqual([
    [dirname(path), "RoleBinding", "Role"],
  ]);
  expect(bindings.flatMap((binding) => binding.object.subjects)).toEqual([
    { kind: "ServiceAccount", name: "sync-trigger", namespace: "kraken" },
  ]);
});
