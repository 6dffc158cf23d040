import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubernetesPrograms } from "../cluster/kubernetes/programs.ts";
import { buildPrograms } from "../cluster/machine/go-binaries.ts";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { findFreePort } from "../support/free-port.ts";
import { connectKubeApi, type KubeApi } from "../support/kube-api.ts";
import { until } from "../support/until.ts";
import { type Server, startServer } from "./processes.ts";
import { makeSigningKey, type SigningKey } from "./signing-key.ts";

/** What an API server shows and trusts. */
type Identity = {
  /** Serves with it; its certificate is its own authority. */
  certificate: Certificate;
  /** The first signs ServiceAccount tokens, all of them verify. */
  signingKeys: readonly [SigningKey, ...SigningKey[]];
};

/** A kube-apiserver on a port of its own. */
export type ApiServer = {
  port: number;
  pid(): number;
  /** As an administrator of the cluster. */
  api: KubeApi;
  kubeconfig: string;
  /** Ends it, gracefully or as a crash, and returns when it is gone. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again on its port and returns when it is ready. */
  start(): Promise<void>;
};

/** An etcd of its own, and API servers on it: to be ended and changed beside tests that need theirs to stay. */
export type OwnCluster = {
  /** Starts an API server on the same etcd; several at a time are a highly available control plane. */
  startApiServer(identity?: Identity): Promise<ApiServer>;
  close(): Promise<void>;
};

const adminToken = "admin-of-an-api-server-of-the-tests";
const readyTimeoutMs = 120_000;

/** Starts etcd; the binaries are those of the tests' cluster, and nothing of it needs root. */
export async function startOwnCluster(): Promise<OwnCluster> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-own-api-server-"));
  const program = join(await buildPrograms(kubernetesPrograms), "kube-apiserver");
  const [clientPort, peerPort] = [await findFreePort(), await findFreePort()];
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const etcd = startServer("etcd", "etcd", etcdArgs(directory, etcdUrl, `http://127.0.0.1:${peerPort}`), directory);
  const servers: Server[] = [etcd];
  let count = 0;

  return {
    async startApiServer(identity = { certificate: makeCertificate("api"), signingKeys: [makeSigningKey()] }) {
      count += 1;
      const name = `kube-apiserver-${count}`;
      const port = await findFreePort();
      const args = await apiServerArgs(join(directory, name), etcdUrl, port, identity);
      const kubeconfig = join(directory, `${name}.kubeconfig`);
      await writeFile(kubeconfig, adminKubeconfig(port, identity.certificate.cert), { mode: 0o600 });
      const api = connectKubeApi(kubeconfig);
      let server: Server;
      const apiServer: ApiServer = {
        ...{ port, api, kubeconfig },
        pid: () => server.pid,
        stop: (signal) => server.end(signal),
        async start() {
          server = startServer(name, program, args, directory);
          servers.push(server);
          await until(
            "the API server to be ready",
            async () => {
              etcd.expectAlive();
              server.expectAlive();
              return (await api.call("GET", "/readyz").catch(() => undefined))?.status === 200;
            },
            readyTimeoutMs,
          );
        },
      };
      await apiServer.start();
      return apiServer;
    },
    async close() {
      for (const server of servers.reverse()) await server.end("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function etcdArgs(directory: string, clientUrl: string, peerUrl: string): string[] {
  return [
    `--data-dir=${join(directory, "etcd")}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    "--unsafe-no-fsync",
    // An hour of Jobs that come and go fits the default of 2 GiB only if their history is dropped.
    "--auto-compaction-mode=periodic",
    "--auto-compaction-retention=1m",
  ];
}

async function apiServerArgs(
  prefix: string,
  etcdUrl: string,
  port: number,
  { certificate, signingKeys }: Identity,
): Promise<string[]> {
  const write = async (suffix: string, text: string) => {
    const path = `${prefix}${suffix}`;
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const publicKeys = signingKeys.map(({ publicKey }) => publicKey).join("");
  return [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    // Nobody is to find it by the Service "kubernetes"; TEST-NET-1 (RFC 5737) leads nowhere.
    "--advertise-address=192.0.2.1",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--authorization-mode=RBAC",
    `--token-auth-file=${await write(".tokens.csv", `${adminToken},admin,admin,system:masters\n`)}`,
    `--tls-cert-file=${await write(".crt", certificate.cert)}`,
    `--tls-private-key-file=${await write(".key", certificate.key)}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-signing-key-file=${await write(".signing.key", signingKeys[0].privateKey)}`,
    `--service-account-key-file=${await write(".signing.pub", publicKeys)}`,
    "--shutdown-watch-termination-grace-period=2s",
  ];
}

function adminKubeconfig(port: number, authority: string): string {
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    "certificate-authority-data": Buffer.from(authority).toString("base64"),
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "admin", user: { token: adminToken } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "admin" } }],
    "current-context": "x",
  });
}
