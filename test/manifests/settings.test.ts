import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { loadConfig, SETTINGS } from "../../functions/config.ts";
import { parseSyncRequest } from "../../functions/core/request.ts";
import { healthRoutes } from "../../functions/routes/health.ts";
import { findAll, type Manifest, ofKind, readManifests } from "./read-manifests.ts";

const files = readManifests();
const func: Manifest = parse(readFileSync("func.yaml", "utf8"));
const healthPaths = healthRoutes.map(({ path }) => path);
const services = files.filter(({ object }) => /^serving\.knative\.dev/.test(object.apiVersion) && object.kind === "Service");

/** Every setting in YAML by name and value: ConfigMaps, patches of them, and environments of containers. */
const settings = files.flatMap(({ path, object }) => {
  const data = object.kind === "ConfigMap" ? Object.entries(object.data ?? {}) : [];
  const patched = (object.patches ?? [])
    .filter(({ target }: Manifest) => target?.kind === "ConfigMap")
    .flatMap(({ patch }: Manifest) => parse(patch))
    .filter(({ path: at }: Manifest) => at?.startsWith("/data/"))
    .map(({ path: at, value }: Manifest) => [at.slice("/data/".length), value]);
  const env = findAll(object, "env").flatMap((list) => list.map(({ name, value }: Manifest) => [name, value]));
  return [...data, ...patched, ...env].map(([name, value]) => ({ path, name: String(name), value }));
});

test.each(settings)("$path: $name is a setting, and the code takes its value", ({ name, value }) => {
  expect(Object.keys(SETTINGS)).toContain(name);
  expect(typeof value, "Kubernetes takes strings alone").toBe("string");
  expect(() => loadConfig({ CRONJOB_NAME: "x", [name]: value })).not.toThrow();
});

test("settings are found at all", () => {
  expect(settings.map(({ name }) => name)).toEqual(expect.arrayContaining(["CRONJOB_NAME", "LOG_LEVEL"]));
});

test("whoever runs our main program gets every setting of the ConfigMap", () => {
  const containers = [...services, ...ofKind(files, "Deployment")].flatMap(({ object }) => findAll(object, "containers"));
  expect(containers).toHaveLength(2);
  for (const [container] of containers) expect(container.envFrom).toEqual([{ configMapRef: { name: "sync-trigger" } }]);
  expect(ofKind(files, "ConfigMap").map(({ object }) => object.metadata.name)).toEqual(["sync-trigger"]);
  expect(func.run.envs).toEqual([{ value: "{{ configMap:sync-trigger }}" }]);
});

describe("probes and ports are those of the code", () => {
  const probes = files.flatMap(({ path, object }) =>
    ["readinessProbe", "livenessProbe"].flatMap((name) =>
      findAll(object, name).map((probe) => ({ path, name, probe })),
    ),
  );

  test.each(probes)("$path: $name", ({ name, probe }) => {
    expect(healthPaths).toContain(probe.httpGet.path);
    expect(probe.httpGet.path).toBe(`/health/${name.replace("Probe", "")}`);
  });

  test("each container that serves has both", () => {
    expect(probes).toHaveLength(4);
  });

  test("func.yaml's health endpoints", () => {
    expect(Object.values(func.deploy.healthEndpoints).sort()).toEqual([...healthPaths].sort());
  });

  test("every container port is the default of PORT, and the image's", () => {
    const ports = files.flatMap(({ object }) => findAll(object, "containerPort"));
    expect(ports).toEqual([Number(SETTINGS.PORT?.fallback), Number(SETTINGS.PORT?.fallback)]);
    expect(readFileSync("Dockerfile", "utf8")).toContain(`EXPOSE ${SETTINGS.PORT?.fallback}\n`);
  });
});

test("the Knative Service's timeoutSeconds is the default of REQUEST_TIMEOUT_S", () => {
  expect(services.map(({ object }) => object.spec.template.spec.timeoutSeconds)).toEqual([
    Number(SETTINGS.REQUEST_TIMEOUT_S?.fallback),
  ]);
});

test.each(ofKind(files, "PingSource"))("$path: its data is a request that the code takes", ({ object }) => {
  expect(object.spec.contentType).toBe("application/json");
  expect(() => parseSyncRequest(JSON.parse(object.spec.data))).not.toThrow();
});
