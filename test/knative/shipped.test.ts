import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { TriggerAnswer } from "../support/answers.ts";
import { jobEnd, jobLog } from "../support/jobs.ts";
import { kubectl } from "../support/kubectl.ts";
import { callFromPod, nodePod } from "./support/call-from-pod.ts";
import { api } from "./support/cluster.ts";
import { manifestsDirectory } from "./support/copy-overlay.ts";
import { type Installation, installAsShipped } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { listManifestPaths } from "./support/manifest-paths.ts";
import { listLivePods, runInFunction, untilZero, wake } from "./support/pods.ts";

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
    expect(await jobEnd(api, "kraken", job.name)).toBe("Complete");
    expect(await jobLog(api, "kraken", job.name)).toContain("kraken-sync: done");
  });

  test("the root file system of the function is read-only", async () => {
    const attempts = ["/written", "/app/main.mjs", "/app/written", "/tmp/written", "/licenses/written"];
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
        ["main.mjs", "print-event.mjs"],
        ["LICENSE", "THIRD-PARTY-LICENSES.txt"],
      ],
      user: 65532,
    });
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

describe("every path that can be applied is taken by the API server and Knative's webhooks", () => {
  test.each(listManifestPaths())("manifests/%s", async (path) => {
    const directory = join(manifestsDirectory, path);
    const rendered = await kubectl("kustomize", directory);
    const taken = await kubectl("apply", "--dry-run=server", "-k", directory);
    expect(taken.match(/ \(server dry run\)$/gm)).toHaveLength(rendered.match(/^kind: /gm)?.length ?? 0);
  });
});
