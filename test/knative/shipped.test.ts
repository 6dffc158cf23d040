import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readImageConfig } from "../cluster/images/build.ts";
import type { TriggerAnswer } from "../support/answers.ts";
import { writeOverlay } from "../support/installation.ts";
import { jobLog } from "../support/jobs.ts";
import { kubectl } from "../support/kubectl.ts";
import { callFromPod, nodePod } from "./support/call-from-pod.ts";
import { api } from "./support/cluster.ts";
import { manifestsDirectory } from "./support/copy-overlay.ts";
import { type Installation, installAsShipped } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { listManifestPaths } from "./support/manifest-paths.ts";
import { listLivePods, runInFunction, untilZero, wake } from "./support/pods.ts";
import { runEnd } from "./support/run-end.ts";

let kraken: Installation;
beforeAll(async () => {
  kraken = await installAsShipped();
});
removeAfterwards(() => [kraken]);

describe("overlays/kraken as it is shipped", () => {
  test("from zero pods, a call from a pod creates a Job whose pod runs to its end", async () => {
    await untilZero("kraken");
    const answer = await callFromPod("kraken", "http://sync-trigger.kraken.svc.cluster.local/trigger-sync", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ reason: "a test" }),
    });
    expect([answer.status, answer.body]).toEqual([200, expect.any(String)]);
    const { outcome, job } = JSON.parse(answer.body) as TriggerAnswer;
    expect({ outcome, namespace: job.namespace }).toEqual({ outcome: "created", namespace: "kraken" });
    expect(await runEnd("kraken", job.name)).toBe("Complete");
    expect(await jobLog(api, "kraken", job.name)).toContain("kraken-sync: done");
  });

  test("the root file system of the function is read-only", async () => {
    const attempts = ["/written", "/app/main.cjs", "/app/written", "/tmp/written", "/licenses/written"];
    const script = `
      const { writeFileSync } = require("node:fs");
      const tell = (path) => { try { writeFileSync(path, ""); return "written"; } catch (error) { return error.code; } };
      console.log(JSON.stringify(${JSON.stringify(attempts)}.map(tell)));
    `;
    const codes = JSON.parse(await runInFunction("kraken", await wake(kraken), script)) as string[];
    expect(codes).toEqual(attempts.map(() => "EROFS"));
  });

  test("the image holds our two programs and their licences, nothing of the build, and runs as the user it names", async () => {
    const script = `
      const { existsSync, readdirSync } = require("node:fs");
      const left = ["/source", "/node_modules", "/app/node_modules"].filter((path) => existsSync(path));
      const files = ["/app", "/licenses"].map((path) => readdirSync(path).sort());
      console.log(JSON.stringify({ left, files, user: process.getuid() }));
    `;
    expect(JSON.parse(await runInFunction("kraken", await wake(kraken), script))).toEqual({
      left: [],
      files: [
        ["main.cjs", "print-event.mjs", "sync-trigger.cache", "sync-trigger.cjs", "sync-trigger.cjs.map"],
        ["LICENSE", "THIRD-PARTY-LICENSES.txt"],
      ],
      user: 65532,
    });
  });

  test.skipIf(process.env.TEST_KUBE_CONTEXT)("the image says what it is, and names its user by number", async () => {
    const { version, description } = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, string>;
    const { Labels, User, Entrypoint } = await readImageConfig(`dev.local/sync-trigger:${version}`);
    expect(ofOci(Labels)).toEqual({
      title: "sync-trigger",
      description,
      licenses: "Apache-2.0",
      version,
      revision: "unknown", // a build argument that the tests leave out: each commit would be another image
    });
    expect({ User, Entrypoint }).toEqual({ User: "65532:65532", Entrypoint: ["node", "/app/main.cjs"] });
  });

  test("the namespace enforces Pod Security restricted: a pod that is not is refused", async () => {
    const pod = nodePod("loose", [""]) as { spec: { containers: { securityContext?: object }[] } };
    for (const container of pod.spec.containers) delete container.securityContext;
    const { status, text } = await api.call("POST", "/api/v1/namespaces/kraken/pods?dryRun=All", pod);
    expect([status, text]).toEqual([403, expect.stringContaining("violates PodSecurity")]);
  });

  test("is at zero pods again afterwards", async () => {
    await untilZero("kraken");
    expect(await listLivePods("kraken")).toEqual([]);
  });
});

/** The labels that the OCI image specification gives a meaning, by their last word. */
function ofOci(labels: Record<string, string>): Record<string, string> {
  const prefix = "org.opencontainers.image.";
  const own = Object.entries(labels).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** How many objects a directory has, and how many of them the API server and Knative's webhooks take. */
async function countTaken(directory: string): Promise<{ objects: number; taken: number }> {
  const rendered = await kubectl("kustomize", directory);
  const answer = await kubectl("apply", "--dry-run=server", "-k", directory);
  const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;
  return { objects: count(rendered, /^kind: /gm), taken: count(answer, / \(server dry run\)$/gm) };
}

describe("the API server and Knative's webhooks take", () => {
  test.each(listManifestPaths())("manifests/%s", async (path) => {
    const { objects, taken } = await countTaken(join(manifestsDirectory, path));
    expect(objects).toBeGreaterThan(0);
    expect(taken).toBe(objects);
  });

  // The kinds of the Prometheus operator are not here: test/cluster/manifests.test.ts brings them.
  const components = readdirSync(join(manifestsDirectory, "components")).filter((name) => name !== "monitoring");

  test.each(components)("the base with components/%s", async (name) => {
    const plan = { namespace: "kraken", cronJobName: "kraken-sync", resources: ["base"], components: [name] };
    const directory = await writeOverlay(plan);
    const { objects, taken } = await countTaken(directory);
    await rm(directory, { recursive: true });
    expect(taken).toBe(objects);
  });
});
