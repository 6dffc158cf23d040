import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Manifest } from "./manifest.ts";
import { readManifests, theOne } from "./read-manifests.ts";

const component = "manifests/components/streamlit";
const objects = readManifests(component).map(({ object }) => object);
const { metadata, spec } = theOne(objects, "Deployment").spec.template;
const [container] = spec.containers;
const page = "examples/streamlit";
const dockerfile = readFileSync(`${page}/Dockerfile`, "utf8");

/** What the page reads of its environment. */
const settings = [...readFileSync(`${page}/backend.py`, "utf8").matchAll(/environ\.get\("(\w+)"\)/g)].map(
  ([, name]) => name,
);

/** What jwt-auth and token-auth add to the page's ConfigMap. */
const patched = ["jwt-auth", "token-auth"].map((name) => {
  const { patches } = parse(readFileSync(`manifests/components/${name}/kustomization.yaml`, "utf8")) as Manifest;
  const ours = patches?.filter(({ target }) => target.kind === "ConfigMap" && target.name === "settings-page") ?? [];
  return ours.flatMap(({ patch }) => parse(patch) as { path: string; value: string }[]);
});

test("every setting is one that the page reads, and all of its ConfigMap reaches it", () => {
  const { data = {} } = theOne(objects, "ConfigMap");
  const [first, second] = patched;
  expect(settings).toEqual(["SYNC_TRIGGER_URL", "SYNC_TRIGGER_TOKEN_FILE"]);
  expect(Object.keys(data)).toEqual(["SYNC_TRIGGER_URL"]);
  expect(first).toEqual([
    { op: "add", path: "/data/SYNC_TRIGGER_TOKEN_FILE", value: "/var/run/secrets/sync-trigger/token" },
  ]);
  expect(second).toEqual(first);
  expect(container.envFrom).toEqual([{ configMapRef: { name: theOne(objects, "ConfigMap").metadata.name } }]);
  expect(data.SYNC_TRIGGER_URL).toBe(/DEFAULT_URL = "(.*)"/.exec(readFileSync(`${page}/backend.py`, "utf8"))?.[1]);
});

test("port and health path are those of the image", () => {
  const port = Number(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]);
  expect(container.ports?.map(({ containerPort }) => containerPort)).toEqual([port]);
  expect(dockerfile).toContain(`"--server.port=${port}"`);
  expect([container.readinessProbe, container.livenessProbe].map((probe) => probe?.httpGet.path)).toEqual(
    Array(2).fill("/_stcore/health"),
  );
});

test("the Service finds its pods, which run as the page's account and hold no token of it", () => {
  expect(theOne(objects, "Service").spec.selector).toEqual(metadata.labels);
  expect(spec.serviceAccountName).toBe(theOne(objects, "ServiceAccount").metadata.name);
  expect(spec.automountServiceAccountToken).toBe(false);
});
