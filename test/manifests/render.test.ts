import { readdirSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Changes, copyOverlay, type ImageName } from "../knative/support/copy-overlay.ts";
import { writeOverlay } from "../support/installation.ts";
import { hasKubectl, kubectl } from "../support/kubectl.ts";
import { grantedBy, rightsNeededOf, toRights } from "../support/rights.ts";
import type { Manifest } from "./manifest.ts";
import { findPodSpecs, parseDocuments, theOne } from "./read-manifests.ts";

const overlays = readdirSync("manifests/overlays").map((name) => `overlays/${name}`);
const components = readdirSync("manifests/components");
const clusterWide = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];

const render = async (path: string): Promise<Manifest[]> => parseDocuments(await kubectl("kustomize", path));
const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;

// Rendering needs no cluster, but kubectl. Level 2 runs this file as well, and has one always: there none is a failure.
const mayBeSkipped = process.env.TEST_TARGET !== "real" && !(await hasKubectl());

describe.skipIf(mayBeSkipped)("rendered by kubectl kustomize", () => {
  const directories: string[] = [];
  afterAll(async () => {
    for (const directory of directories) await rm(directory, { recursive: true });
  });

  async function renderFor(namespace: string, cronJobName: string, resources: string[], parts = components) {
    const overlay = await writeOverlay({ namespace, cronJobName, resources, components: parts });
    directories.push(overlay);
    return render(overlay);
  }

  async function renderText(path: string, changes: Changes): Promise<string> {
    const copy = await copyOverlay(path.replace("overlays/", ""), changes);
    directories.push(copy);
    return kubectl("kustomize", copy);
  }

  const renderCopy = async (path: string, changes: Changes) => parseDocuments(await renderText(path, changes));

  test.each(["rights", "base", "policy-keeper", ...overlays])("%s", async (path) => {
    const objects = await render(`manifests/${path}`);
    expect(new Set(objects.map(nameOf)).size).toBe(objects.length);
    for (const object of objects) {
      expect([nameOf(object), object.metadata.namespace]).toEqual([
        nameOf(object),
        clusterWide.includes(object.kind) ? undefined : "kraken",
      ]);
    }
  });

  test.each(overlays)(
    "%s: its Roles are the calls that its components are for, in functions/kubernetes/cluster.ts",
    async (path) => {
      const roles = (await render(`manifests/${path}`)).filter(({ kind }) => kind.endsWith("Role"));
      const needed = grantedBy(path.replace("overlays/", "")).flatMap((part) => rightsNeededOf(part, "kraken-sync"));
      expect(roles.flatMap(({ rules }) => toRights(rules)).sort()).toEqual(needed.sort());
    },
  );

  // The two clocks exclude each other.
  const together = components.filter((name) => name !== "one-clock");

  test("an overlay's own objects of the kinds that follow namespace and CronJob are left alone", async () => {
    const overlay = await writeOverlay({
      namespace: "other",
      cronJobName: "c",
      resources: ["base"],
      components: together,
    });
    directories.push(overlay);
    const policyName = "registry.example";
    const own = [
      {
        ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: "scrape" } },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
        subjects: [{ kind: "ServiceAccount", name: "prometheus", namespace: "monitoring" }],
      },
      {
        ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicyBinding" },
        ...{ metadata: { name: policyName }, spec: { policyName, validationActions: ["Deny"] } },
      },
    ];
    await writeFile(join(overlay, "own.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items: own }));
    const file = join(overlay, "kustomization.yaml");
    const kustomization = JSON.parse(await readFile(file, "utf8")) as { resources: string[] };
    kustomization.resources.push("own.json");
    await writeFile(file, JSON.stringify(kustomization));
    const objects = await render(overlay);
    const found = (kind: string, name: string) =>
      objects.find((object) => object.kind === kind && object.metadata.name === name) as unknown;
    expect(found("RoleBinding", "scrape")).toMatchObject({ subjects: [{ namespace: "monitoring" }] });
    expect(found("ValidatingAdmissionPolicyBinding", policyName)).toMatchObject({ spec: { policyName } });
    expect(found("RoleBinding", "sync-trigger-jobs-api")).toMatchObject({ subjects: [{ namespace: "other" }] });
  });

  test.each([
    ["Knative", ["base"], together],
    ["Knative, one clock", ["base"], components.filter((name) => name !== "ping-fallback")],
    ["without Knative", ["rights"], ["jobs-api", "streamlit", "clone-only", "exactly-once"]],
  ])("namespace and CronJob, stated once, are everywhere: %s", async (_what, resources, parts) => {
    const objects = await renderFor("reports", "nightly", resources, parts);
    expect(JSON.stringify(objects)).not.toContain("kraken");
    for (const object of objects) {
      if (clusterWide.includes(object.kind)) expect(object.metadata.name).toMatch(/^[a-z-]+\.reports$/);
      else expect([nameOf(object), object.metadata.namespace]).toEqual([nameOf(object), "reports"]);
    }
    expect(theOne(objects, "ConfigMap", { name: "sync-trigger" }).data?.CRONJOB_NAME).toBe("nightly");
    expect(theOne(objects, "Role", { name: "sync-trigger" }).rules[0].resourceNames).toEqual(["nightly"]);
    for (const { subjects } of objects.filter(({ kind }) => kind === "RoleBinding")) {
      expect(subjects).toEqual([{ kind: "ServiceAccount", name: "sync-trigger", namespace: "reports" }]);
    }
  });

  test("the admission policy and its bindings follow", async () => {
    const objects = await renderFor("reports", "nightly", ["rights"], ["clone-only"]);
    const bindings = objects.filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");
    const { name } = theOne(objects, "ValidatingAdmissionPolicy").metadata;
    expect(name).toBe("sync-trigger-clone-only.reports");
    expect(bindings.map(({ spec }) => spec.policyName)).toEqual([name, name]);
    for (const { spec } of bindings) {
      expect(spec.matchResources.namespaceSelector).toEqual({
        matchLabels: { "kubernetes.io/metadata.name": "reports" },
      });
    }
    expect(bindings.flatMap(({ spec }) => spec.paramRef ?? [])).toEqual([
      { name: "nightly", namespace: "reports", parameterNotFoundAction: "Deny" },
    ]);
  });

  test("the Trigger for pings follows, and dead letters leave the rest of its delivery block", async () => {
    const objects = await renderFor("reports", "nightly", ["base"], together);
    const triggers = objects.filter(({ kind }) => kind === "Trigger");
    const ping = theOne(objects, "Trigger", { name: "sync-trigger-ping" });
    const source = theOne(objects, "PingSource");
    expect(ping.spec.filter.attributes.source).toBe(`/apis/v1/namespaces/reports/pingsources/${source.metadata.name}`);
    expect(triggers).toHaveLength(2);
    for (const { spec } of triggers) {
      expect(Object.keys(spec.delivery).sort()).toEqual([
        "backoffDelay",
        "backoffPolicy",
        "deadLetterSink",
        "retry",
        "timeout",
      ]);
      expect(spec.delivery.deadLetterSink.ref).toMatchObject({ kind: "JobSink", name: "sync-trigger-dead-letter" });
    }
  });

  test("two installations share no object", async () => {
    const first = await renderFor("reports", "nightly", ["base"], together);
    const second = await renderFor("billing", "weekly", ["base"], together);
    const names = [...first, ...second].map(nameOf);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(overlays)("%s: the images that a copy names are all that it runs", async (path) => {
    const nameImage = ({ name }: ImageName): ImageName => {
      return { name, newName: name.replace("dev.local", "registry.example/own"), newTag: "2.3.4" };
    };
    const objects = await renderCopy(path, { namespace: "kraken", cronJobName: "kraken-sync", nameImage });
    expect(JSON.stringify(objects)).not.toContain("dev.local");
    const images = findPodSpecs(objects).flatMap(({ containers }) => containers.map(({ image }) => image));
    const own = path === "overlays/plain-kubernetes" ? ["sync-trigger"] : ["settings-page", "sync-trigger"];
    expect([...new Set(images)].sort()).toEqual(own.map((name) => `registry.example/own/${name}:2.3.4`));
  });

  // Each is a number, a boolean, a date or nothing to one kind of YAML or another, if it stands without quotes.
  const oddNames = ["123", "1e3", "0x1f", "1.5", "yes", "null", "2026-11-25"];

  test.each(overlays.flatMap((path) => oddNames.map((name) => [path, name] as const)))(
    "%s: the CronJob's name %s is text wherever it stands",
    async (path, cronJobName) => {
      const text = await renderText(path, { namespace: "reports", cronJobName });
      // Kubernetes' own parser takes some values by YAML 1.1.
      for (const version of ["1.1", "1.2"] as const) {
        const objects = parseDocuments(text, version);
        const bindings = objects.filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");
        expect(theOne(objects, "ConfigMap", { name: "sync-trigger" }).data?.CRONJOB_NAME).toBe(cronJobName);
        expect(theOne(objects, "Role", { name: "sync-trigger" }).rules[0].resourceNames).toEqual([cronJobName]);
        expect(bindings.flatMap(({ spec }) => spec.paramRef ?? [])).toEqual([
          { name: cronJobName, namespace: "reports", parameterNotFoundAction: "Deny" },
        ]);
      }
    },
  );
});
