import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig, SETTINGS } from "../../functions/config.ts";
import { parseSyncRequest } from "../../functions/core/request.ts";
import { healthRoutes } from "../../functions/routes/health.ts";
import type { FuncFile } from "./manifest.ts";
import { findPodSpecs, ofKind, readManifests, theOne } from "./read-manifests.ts";

const files = readManifests();
const func: FuncFile = parse(readFileSync("func.yaml", "utf8"));
const healthPaths = healthRoutes.map(({ path }) => path);
/** The page has settings, a port and a health path of its own: page.test.ts. */
const ofFunction = files.filter(({ path }) => !path.startsWith("manifests/components/streamlit/"));
const objects = ofFunction.map(({ object }) => object);
const knativeService = theOne(objects, "Service", { apiVersion: "serving.knative.dev/v1" });
const containers = ofFunction.flatMap(({ path, object }) =>
  findPodSpecs(object).flatMap((pod) => pod.containers.map((container) => ({ path, container }))),
);

type Patch = { path: string; value: unknown };

/** Every setting in YAML by name and value: ConfigMaps, patches of them, and environments of containers. */
const settings = [
  ...ofFunction.flatMap(({ path, object }) => {
    const data = object.kind === "ConfigMap" ? Object.entries(object.data ?? {}) : [];
    const patches = (object.patches ?? []).filter(
      ({ target }) => target.kind === "ConfigMap" && target.name === "sync-trigger",
    );
    const patched = patches.flatMap(({ patch }) => parse(patch) as Patch[]);
    return [
      ...data.map(([name, value]) => ({ path, name, value: value as unknown })),
      ...patched.map(({ path: at, value }) => ({ path, name: at.replace("/data/", ""), value })),
    ];
  }),
  ...containers.flatMap(({ path, container }) => (container.env ?? []).map((variable) => ({ path, ...variable }))),
];

test.each(settings)("$path: $name is a setting, and the code takes its value", ({ name, value }) => {
  expect(Object.keys(SETTINGS)).toContain(name);
  expect(typeof value, "Kubernetes takes strings alone").toBe("string");
  expect(() => loadConfig({ CRONJOB_NAME: "x", [name]: String(value) })).not.toThrow();
});

test("settings are found at all", () => {
  expect(settings.map(({ name }) => name)).toEqual(expect.arrayContaining(["CRONJOB_NAME", "LOG_LEVEL"]));
});

test("whoever runs our main program gets every setting of the ConfigMap", () => {
  const serving = containers.filter(({ container }) => !container.command);
  expect(serving).toHaveLength(2);
  for (const { container } of serving) expect(container.envFrom).toEqual([{ configMapRef: { name: "sync-trigger" } }]);
  expect(theOne(objects, "ConfigMap").metadata.name).toBe("sync-trigger");
  expect(func.run.envs).toEqual([{ value: "{{ configMap:sync-trigger }}" }]);
});

describe("probes and ports are those of the code", () => {
  const probes = containers.flatMap(({ path, container }) =>
    (["readiness", "liveness"] as const).flatMap((what) => {
      const probe = container[`${what}Probe`];
      return probe ? [{ path, what, probe }] : [];
    }),
  );

  test.each(probes)("$path: $what", ({ what, probe }) => {
    expect(healthPaths).toContain(probe.httpGet.path);
    expect(probe.httpGet.path).toBe(`/health/${what}`);
  });

  test("each container that serves has both", () => {
    expect(probes).toHaveLength(4);
  });

  test("func.yaml's health endpoints", () => {
    expect(Object.values(func.deploy.healthEndpoints).sort()).toEqual([...healthPaths].sort());
  });

  test("every container port is the default of PORT, and the image's", () => {
    const ports = containers
      .flatMap(({ container }) => container.ports ?? [])
      .map(({ containerPort }) => containerPort);
    expect(ports).toEqual([Number(SETTINGS.PORT?.fallback), Number(SETTINGS.PORT?.fallback)]);
    expect(readFileSync("Dockerfile", "utf8")).toContain(`EXPOSE ${SETTINGS.PORT?.fallback}\n`);
  });
});

test("the Knative Service's timeoutSeconds is the default of REQUEST_TIMEOUT_S", () => {
  expect(String(knativeService.spec.template.spec.timeoutSeconds)).toBe(SETTINGS.REQUEST_TIMEOUT_S?.fallback);
});

test.each(ofKind(files, "PingSource"))("$path: its data is a request that the code takes", ({ object }) => {
  expect(object.spec.contentType).toBe("application/json");
  expect(() => parseSyncRequest(JSON.parse(object.spec.data))).not.toThrow();
});
