import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { json, startApiStub } from "../support/api-stub.ts";
import { makeCertificate } from "../support/certificates.ts";
import { makeDirectory } from "../support/kubeconfig.ts";
import { until } from "../support/until.ts";

/** kubelet's directory, at the path that client-node knows; it must not be touched, so the process gets its own /run. */
const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";
const inOwnRun = ["unshare", "--user", "--map-root-user", "--mount"];
const mountScript = `mount -t tmpfs none /run && mkdir -p ${mounted} && mount --bind "$0" ${mounted} && exec "$@"`;

describe.skipIf(!canMount())("the credentials of a pod", () => {
  it("are the mounted token, authority and namespace; a renewed token is taken after a 401", async () => {
    const certificate = makeCertificate("kubernetes");
    const stub = await startApiStub({ tls: certificate });
    const directory = makeDirectory();
    writeFileSync(join(directory, "ca.crt"), certificate.cert);
    writeFileSync(join(directory, "namespace"), "kraken\n");
    writeFileSync(join(directory, "token"), "first");
    const { url } = await startInPod(directory, new URL(stub.server));

    stub.answer(json(404, { reason: "NotFound" }));
    expect((await fetch(`${url}/trigger-sync`, { method: "POST" })).status).toBe(404);
    expect(stub.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ["/apis/batch/v1/namespaces/kraken/cronjobs/sync", "Bearer first"],
    ]);

    // As kubelet does it: in one step.
    writeFileSync(join(directory, "next"), "second");
    renameSync(join(directory, "next"), join(directory, "token"));
    stub.answer(json(401, { reason: "Unauthorized" }), json(404, { reason: "NotFound" }));
    expect((await fetch(`${url}/trigger-sync`, { method: "POST" })).status).toBe(404);
    expect(stub.requests.slice(1).map(({ headers }) => headers.authorization)).toEqual([
      "Bearer first",
      "Bearer second",
    ]);
    expect(stub.connections()).toBe(1);
  });
});

/** Starts the function where its service account is mounted from a directory, and waits until it listens. */
async function startInPod(directory: string, server: URL): Promise<{ url: string }> {
  const [command = "", ...options] = inOwnRun;
  const program = [process.execPath, "functions/main.ts"];
  const child: ChildProcess = spawn(command, [...options, "sh", "-c", mountScript, directory, ...program], {
    env: {
      PATH: process.env.PATH ?? "",
      HOME: "/nonexistent",
      KUBERNETES_SERVICE_HOST: server.hostname,
      KUBERNETES_SERVICE_PORT: server.port,
      CRONJOB_NAME: "sync",
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let port: number | undefined;
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      port ??= (JSON.parse(line) as { port?: number }).port;
    });
  }
  return { url: `http://127.0.0.1:${await until("the function to listen", () => port)}` };
}

/** Whether this machine lets us have a mount namespace of our own. */
function canMount(): boolean {
  const [command = "", ...options] = inOwnRun;
  try {
    execFileSync(command, [...options, "mount", "-t", "tmpfs", "none", "/run"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
