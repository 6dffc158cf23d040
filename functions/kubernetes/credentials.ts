import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, type RequestOptions } from "node:https";
import { createSecureContext } from "node:tls";
import { KubeConfig } from "@kubernetes/client-node";
import { ConfigError } from "../config.ts";
import { openAhead } from "./open-ahead.ts";

/** Where the API server is. */
export type Place = {
  isSecure: boolean;
  host: string;
  /** Empty: the scheme's own. */
  port: string;
  /** Before every path; empty for most API servers. */
  basePath: string;
};

/** What a request to the API server needs: where, with which headers, over which connections. */
export type Access = Place & {
  headers: Record<string, string>;
  agent: HttpAgent;
  /** For what stays open: watches and logs must not keep a trigger waiting for a connection. */
  streamAgent: HttpAgent;
};

/** Credentials that stay fresh: `access` is cheap to call for each request. */
export type Credentials = {
  /** The namespace of our own pod, or of the kubeconfig's context. */
  namespace: string;
  access(): Promise<Access>;
  /** Begins to open the connection that the first request will need. What fails, that request will tell. */
  connect(): void;
  /** Reads files and tokens again, after the API server said 401. */
  reload(): Promise<void>;
  close(): void;
};

/** kubelet renews a projected token long before it ends; this only bounds how often files are read. */
const freshForMs = 30_000;

/**
 * Credentials of the pod, or of a kubeconfig (KUBECONFIG, ~/.kube/config), read by client-node. Its own transport is
 * not used: it opens a TLS connection for each call. One keep-alive agent here lives until certificates change. Throws a
 * ConfigError where there is no cluster.
 */
export function loadCredentials(context?: string): Credentials {
  let config = readKubeConfig(context);
  let access: Access | undefined;
  let agentIdentity = "";
  let readAtMs = 0;
  let reading: Promise<Access> | undefined;

  async function read(): Promise<Access> {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const server = new URL(config.getCurrentCluster()?.server ?? "");
    const tls = pickTls(options);
    const identity = JSON.stringify(tls);
    if (!access || identity !== agentIdentity) {
      // Not destroyed: that would end requests under way. They go on over their old connections.
      if (access) closeIdle(access.agent);
      agentIdentity = identity;
      // One for all connections: else each would parse the certificates again, and keep them.
      const shared = { ...tls, secureContext: createSecureContext(tls) };
      const streamAgent = createAgent(server, shared, Number.POSITIVE_INFINITY);
      access = { ...toPlace(server), headers: {}, agent: createAgent(server, shared, 64), streamAgent };
    }
    access = { ...access, ...toPlace(server), headers: toHeaders(options) };
    readAtMs = performance.now();
    return access;
  }

  /** Many may ask at the same time; one reads. */
  function refresh(): Promise<Access> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    namespace: config.getContextObject(config.getCurrentContext())?.namespace?.trim() || "default",
    access: async () => (access && performance.now() - readAtMs < freshForMs ? access : refresh()),
    connect: () => {
      const open = ({ agent, ...place }: Access) => void (agent instanceof HttpsAgent && openAhead(agent, place));
      refresh()
        .then(open)
        .catch(() => {});
    },
    reload: async () => {
      config = readKubeConfig(context);
      await refresh();
    },
    close: () => {
      access?.agent.destroy();
      access?.streamAgent.destroy();
    },
  };
}

function readKubeConfig(context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw new ConfigError([`KUBECONFIG: cannot be read: ${error instanceof Error ? error.message : error}`]);
  }
  if (context !== undefined) config.setCurrentContext(context);
  // Where there is nothing, client-node guesses http://localhost:8080 under a context of this name.
  if (!config.getCurrentCluster()?.server || config.getCurrentContext() === "loaded-context") {
    throw new ConfigError(["no Kubernetes cluster: neither in a pod nor a kubeconfig (KUBECONFIG, ~/.kube/config)"]);
  }
  return config;
}

function closeIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

type Tls = Pick<RequestOptions, "ca" | "cert" | "key" | "pfx" | "passphrase" | "rejectUnauthorized" | "servername"> &
  Pick<AgentOptions, "secureContext">;

function pickTls({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }: RequestOptions): Tls {
  return { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
}

function createAgent(server: URL, tls: Tls, maxSockets: number): HttpAgent {
  // The API server closes idle connections after minutes; ours go first, so that a request rarely meets a closed one.
  // As many idle as busy ones: what is closed under load is opened again at once, for a TLS handshake.
  const keepAlive = { keepAlive: true, maxSockets, maxFreeSockets: 64, timeout: 60_000 };
  return server.protocol === "https:" ? new HttpsAgent({ ...keepAlive, ...tls }) : new HttpAgent(keepAlive);
}

/** A server's address taken apart, once: a URL made and read for each call was a visible part of a trigger's CPU time. */
export function toPlace({ protocol, hostname, port, pathname }: URL): Place {
  const host = hostname.replace(/^\[(.*)\]$/, "$1"); // an IPv6 address has brackets in a URL alone
  return { isSecure: protocol === "https:", host, port, basePath: pathname.replace(/\/$/, "") };
}

function toHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { Authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  const own = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
  return { ...basic, ...Object.fromEntries(own) };
}
