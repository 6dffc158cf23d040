import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { jobName } from "../../functions/core/job-name.ts";
import { pingEventType } from "../../functions/core/key.ts";
import type { Container, FuncFile } from "./manifest.ts";
import { findPodSpecs, ofKind, readManifests, theOne } from "./read-manifests.ts";

const files = readManifests();
const objects = files.map(({ object }) => object);
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const func = parse(readFileSync("func.yaml", "utf8")) as FuncFile;
const visibility = "networking.knative.dev/visibility";

const services = ofKind(files, "Service");
const knativeService = theOne(objects, "Service", { apiVersion: "serving.knative.dev/v1" });
const deployment = theOne(objects, "Deployment", { name: "sync-trigger" });
const containers = files.flatMap(({ path, object }) =>
  findPodSpecs(object).flatMap((pod) => pod.containers.map((container) => ({ path, container, pod }))),
);

describe("nothing can be reached from outside the cluster", () => {
  test("no kind that opens a way in", () => {
    expect(ofKind(files, "Ingress", "Gateway", "HTTPRoute", "Route", "DomainMapping")).toEqual([]);
  });

  test("the Knative Services are cluster-local, the others ClusterIP", () => {
    expect(knativeService.metadata.labels[visibility]).toBe("cluster-local");
    const others = services.filter(({ object }) => object !== knativeService);
    expect(others.map(({ object }) => [object.metadata.name, object.spec.type])).toEqual([
      ["settings-page", "ClusterIP"],
      ["sync-trigger", "ClusterIP"],
    ]);
    expect(func.deploy.labels).toContainEqual({ key: visibility, value: "cluster-local" });
  });
});

describe("every container holds to Pod Security restricted", () => {
  test.each(containers)("$path: $container.name", ({ container, pod }) => {
    const own = container.securityContext;
    const merged = { ...pod.securityContext, ...own };
    expect(own.allowPrivilegeEscalation).toBe(false);
    expect(own.readOnlyRootFilesystem).toBe(true);
    expect(own.capabilities).toEqual({ drop: ["ALL"] });
    expect(merged.runAsNonRoot).toBe(true);
    expect(merged.seccompProfile).toEqual({ type: "RuntimeDefault" });
    expect(merged.runAsUser, "any uid does, so that clusters that choose one can").toBeUndefined();
    for (const field of ["hostNetwork", "hostPID", "hostIPC", "volumes"]) expect(pod).not.toHaveProperty(field);
    expect(container.resources.limits.memory).toBeDefined();
    expect(container.resources.requests).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
  });

  test("there are four", () => {
    expect(containers).toHaveLength(4);
  });
});

test.each(containers)(
  "$path: the image is ours, of this version, so that an overlay can name another",
  ({ path, container }) => {
    const name = path.startsWith("manifests/components/streamlit/") ? "settings-page" : "sync-trigger";
    expect(container.image).toBe(`dev.local/${name}:${version}`);
  },
);

test.each(ofKind(files, "Kustomization").filter(({ object }) => object.images))(
  "$path overrides the images that it has",
  ({ object }) => {
    const hasPage = object.components?.includes("../../components/streamlit");
    const names = ["sync-trigger", ...(hasPage ? ["settings-page"] : [])];
    expect(object.images).toEqual(names.map((name) => ({ name: `dev.local/${name}`, newTag: version })));
  },
);

test("the function's container is the same on Knative and without it", () => {
  const comparable = ({ lifecycle, name, ports, livenessProbe, readinessProbe, ...rest }: Container) => rest;
  const [onKnative] = knativeService.spec.template.spec.containers;
  const [without] = deployment.spec.template.spec.containers;
  expect(comparable(without)).toEqual(comparable(onKnative));
  const { serviceAccountName } = knativeService.spec.template.spec;
  expect([deployment.spec.template.spec.serviceAccountName, func.deploy.serviceAccountName]).toEqual([
    serviceAccountName,
    serviceAccountName,
  ]);
});

test("without Knative the replicas are spread over the nodes that there are, and start on one node as well", () => {
  const { metadata, spec } = deployment.spec.template;
  expect(spec.topologySpreadConstraints).toEqual([
    {
      topologyKey: "kubernetes.io/hostname",
      maxSkew: 1,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: metadata.labels },
      matchLabelKeys: ["pod-template-hash"],
    },
  ]);
});

test.each(["base", "rights", "overlays/plain-kubernetes", "components/streamlit", "components/dead-letter"])(
  "manifests/%s: each number that somebody chose has its reason beside it or above it",
  (directory) => {
    const paths = readdirSync(`manifests/${directory}`).map((name) => `manifests/${directory}/${name}`);
    const bare = paths.flatMap((path) => {
      const lines = readFileSync(path, "utf8").split("\n");
      const isBare = (line: string, at: number) =>
        /: "?\d+[A-Za-z]*"?( \})?$/.test(line) && !lines[at - 1]?.trim().startsWith("#");
      return lines.filter(isBare).map((line) => `${path}: ${line.trim()}`);
    });
    expect(bare).toEqual([]);
  },
);

test("func.yaml asks for what the Knative Service asks for", () => {
  const { metadata, spec } = knativeService.spec.template;
  const { scale, resources } = func.deploy.options;
  expect(String(scale.min)).toBe(metadata.annotations["autoscaling.knative.dev/min-scale"]);
  expect(String(scale.max)).toBe(metadata.annotations["autoscaling.knative.dev/max-scale"]);
  expect(resources.requests).toEqual(spec.containers[0].resources.requests);
  expect(resources.limits).toEqual({
    ...spec.containers[0].resources.limits,
    concurrency: spec.containerConcurrency,
  });
  expect(func).toMatchObject({ name: "sync-trigger", runtime: "typescript", namespace: "kraken" });
});

test("a pod that leaves has the time for its pre-stop delay and the drain in functions/main.ts", () => {
  const drainTimeoutMs = Number(
    /drainTimeoutMs = ([\d_]+)/.exec(readFileSync("functions/main.ts", "utf8"))?.[1]?.replaceAll("_", ""),
  );
  const { terminationGracePeriodSeconds, containers: own } = deployment.spec.template.spec;
  const preStopS = own[0].lifecycle.preStop.sleep.seconds;
  expect(terminationGracePeriodSeconds).toBeGreaterThan(preStopS + drainTimeoutMs / 1_000);
  // queue-proxy waits for 30 quiet seconds before our SIGTERM (facts of Knative Serving 0.48).
  expect(knativeService.spec.template.spec.timeoutSeconds).toBeGreaterThan(30 + drainTimeoutMs / 1_000);
});

describe("every Trigger", () => {
  const triggers = ofKind(files, "Trigger");

  test.each(triggers)("$path filters on a type, and has the whole delivery block", ({ object }) => {
    expect(object.spec.filter.attributes.type).toEqual(expect.any(String));
    expect(Object.keys(object.spec.delivery).sort()).toEqual(["backoffDelay", "backoffPolicy", "retry", "timeout"]);
    const timeoutS = Number(/^PT(\d+)S$/.exec(object.spec.delivery.timeout ?? "")?.[1]);
    expect(timeoutS, "our own 15 s and a cold start").toBeGreaterThanOrEqual(30);
  });

  test("lets through what the code answers to, and the pings of our own PingSources alone", () => {
    const filters = triggers.map(({ object }) => object.spec.filter.attributes);
    const names = ofKind(files, "PingSource").map(({ object }) => object.metadata.name);
    expect([...new Set(names)]).toHaveLength(1);
    expect(filters).toEqual([
      { type: pingEventType, source: `/apis/v1/namespaces/kraken/pingsources/${names[0]}` },
      { type: "internal.sync-trigger.requested.v1" },
    ]);
    expect(readFileSync("functions/routes/trigger-sync.ts", "utf8")).toContain('"internal.sync-trigger.requested.v1"');
  });
});

test("dead letters are printed by a program of the image, and kept for a week", () => {
  const sink = theOne(objects, "JobSink");
  const [, program] = sink.spec.job.spec.template.spec.containers[0].command;
  expect(readFileSync("Dockerfile", "utf8")).toContain(` /source/dist/${program?.replace("/app/", "")} /app/\n`);
  expect(sink.spec.job.spec.ttlSecondsAfterFinished).toBe(7 * 24 * 3_600);
  // ../components/clone-only leaves alone what has this label.
  expect(sink.spec.job.metadata.labels).toEqual(sink.spec.job.spec.template.metadata.labels);
});

test("the clone-only policy knows how the code names Jobs", () => {
  const policy = readFileSync("manifests/components/clone-only/policy.yaml", "utf8");
  const suffix = /name\.matches\('(.+?)'\)/.exec(policy)?.[1] ?? "none";
  const cut = Number(/name\.substring\(0, (\d+)\)/.exec(policy)?.[1]);
  const longest = jobName("a".repeat(52), "ab".repeat(32));
  expect(longest).toMatch(new RegExp(`^a{${cut}}${suffix}`));
  expect(policy).toContain(`name.size() - ${longest.length - cut})`);
});
