import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubernetesPrograms } from "../cluster/kubernetes/programs.ts";
import { SERVICE_CIDR } from "../cluster/kubernetes/settings.ts";
import { buildPrograms } from "../cluster/machine/go-binaries.ts";
import { SYSTEM_PATH } from "../cluster/machine/paths.ts";
import { waitFor } from "../cluster/machine/wait.ts";
import { findFreePort } from "../support/free-port.ts";
import { connectKubeApi } from "../support/kube-api.ts";

/** An API server of a run's own, on loopback: whoever else uses the tests' cluster does not feel its restarts. */
export type OwnApiServer = {
  kubeconfig: string;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  start(): Promise<void>;
  /** Ends etcd too and removes what was stored. */
  close(): Promise<void>;
};

/**
 * Starts etcd and the tests' cluster's kube-apiserver, and nothing that acts on what they store: the Jobs of a run are
 * ended by its own hands. Needs etcd, and Go unless the cluster's programs were built before; no root.
 */
export async function startOwnApiServer(): Promise<OwnApiServer> {
  const programs = await buildPrograms(kubernetesPrograms);
  const directory = mkdtempSync(join(tmpdir(), "sync-trigger-history-"));
  const [client, peer, port] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const token = randomBytes(16).toString("hex");
  const kubeconfig = join(directory, "kubeconfig");
  const files = writeFiles(directory, { token, kubeconfig, server: `https://127.0.0.1:${port}` });

  const children = new Set<ChildProcess>();
  const run = (name: string, command: string, args: string[]): ChildProcess => {
    const log = openSync(join(directory, `${name}.log`), "a");
    const env = { ...process.env, PATH: SYSTEM_PATH };
    const child = spawn(command, args, { cwd: directory, env, stdio: ["ignore", log, log] });
    closeSync(log);
    children.add(child);
    child.once("exit", () => children.delete(child));
    return child;
  };
  // They would outlive a run that breaks off.
  process.once("exit", () => {
    for (const child of children) child.kill("SIGKILL");
  });

  run("etcd", "etcd", [
    ...["--data-dir=etcd", "--unsafe-no-fsync", `--listen-peer-urls=http://127.0.0.1:${peer}`],
    ...["listen", "advertise"].map((verb) => `--${verb}-client-urls=http://127.0.0.1:${client}`),
  ]);
  let apiServer: ChildProcess | undefined;

  async function start(): Promise<void> {
    apiServer = run("kube-apiserver", join(programs, "kube-apiserver"), [
      ...[`--etcd-servers=http://127.0.0.1:${client}`, "--bind-address=127.0.0.1", `--secure-port=${port}`],
      ...["--cert-dir=certificates", `--token-auth-file=${files.tokens}`, "--authorization-mode=RBAC"],
      ...["--service-account-issuer=https://kubernetes.default.svc", `--service-account-key-file=${files.publicKey}`],
      ...[`--service-account-signing-key-file=${files.privateKey}`, `--service-cluster-ip-range=${SERVICE_CIDR}`],
      "--shutdown-watch-termination-grace-period=2s", // as the tests' cluster has it
    ]);
    const child = apiServer;
    const logFile = join(directory, "kube-apiserver.log");
    const isHopeless = () => child.exitCode !== null;
    await waitFor({ what: "the API server to be ready", timeoutMs: 120_000, logFile, isHopeless }, async () => {
      const { status } = await connectKubeApi(kubeconfig).call("GET", "/readyz");
      return status === 200;
    });
  }

  async function end(child: ChildProcess | undefined, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (!child || !children.has(child)) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  await start();
  return {
    kubeconfig,
    start,
    stop: (signal) => end(apiServer, signal),
    async close() {
      for (const child of children) await end(child, "SIGKILL");
      rmSync(directory, { recursive: true });
    },
  };
}

type Access = { token: string; kubeconfig: string; server: string };

/** Writes what the API server and its clients need to know each other. */
function writeFiles(directory: string, { token, kubeconfig, server }: Access) {
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const config = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "history" },
    clusters: [{ name: "history", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "history", context: { cluster: "history", user: "admin" } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return {
    tokens: file("tokens.csv", `${token},admin,admin,system:masters\n`),
    privateKey: file("service-account.key", privateKey),
    publicKey: file("service-account.pub", publicKey),
  };
}
