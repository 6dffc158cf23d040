import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { json, startApiStub } from "../support/api-stub.ts";
import { makeCertificate } from "../support/certificates.ts";
import { startFunction } from "../support/function-process.ts";
import { canMount, inPod, podEnvironment } from "../support/in-pod.ts";
import { makeDirectory } from "../support/kubeconfig.ts";

describe.skipIf(!canMount())("the credentials of a pod", () => {
  it("are the mounted token, authority and namespace; a renewed token is taken after a 401", async () => {
    const certificate = makeCertificate("kubernetes");
    const stub = await startApiStub({ tls: certificate });
    const directory = makeDirectory();
    writeFileSync(join(directory, "ca.crt"), certificate.cert);
    writeFileSync(join(directory, "namespace"), "kraken\n");
    writeFileSync(join(directory, "token"), "first");
    const { hostname, port } = new URL(stub.server);
    const fn = await startFunction(
      { ...podEnvironment(hostname, port), CRONJOB_NAME: "sync" },
      { wrap: (command) => inPod(directory, command) },
    );
    onTestFinished(async () => void (await fn.stop()));

    stub.answer(json(404, { reason: "NotFound" }));
    expect((await fetch(`${fn.url}/trigger-sync`, { method: "POST" })).status).toBe(404);
    expect(stub.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ["/apis/batch/v1/namespaces/kraken/cronjobs/sync", "Bearer first"],
    ]);

    // As kubelet does it: in one step.
    writeFileSync(join(directory, "next"), "second");
    renameSync(join(directory, "next"), join(directory, "token"));
    stub.answer(json(401, { reason: "Unauthorized" }), json(404, { reason: "NotFound" }));
    expect((await fetch(`${fn.url}/trigger-sync`, { method: "POST" })).status).toBe(404);
    expect(stub.requests.slice(1).map(({ headers }) => headers.authorization)).toEqual([
      "Bearer first",
      "Bearer second",
    ]);
    expect(stub.connections()).toBe(1);
  });
});
