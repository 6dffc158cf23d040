import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "./api/json.ts";
import { RESOURCES } from "./api/resources.ts";
import { loadSchema } from "./api/schema.ts";
import { createApiServer } from "./api/server.ts";
import { createStore } from "./api/store.ts";
import { startControllers } from "./controllers/controllers.ts";
import { createNode } from "./node/node.ts";
import { mayRun, type Seeds, seedCronJob } from "./seed.ts";

/** How an embedded cluster is started. */
export interface EmbeddedOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** The directory that a container of an image runs in; an image that is not named cannot be pulled. */
  images?: Readonly<Record<string, string>>;
  /** Told of each request that was answered 501; by default it is printed on stderr, each one once. */
  onUnmodelled?: (method: string, path: string) => void;
  /** The wait before the second pod of a Job; it doubles with each failure. Kubernetes takes 10 s. */
  podBackoffMs?: number;
  /** How many changes back a watch may begin, 10,000 by default; further back it is told 410 Expired. */
  rememberedChanges?: number;
}

interface RecordedRequest {
  method: string;
  path: string;
}

/** A Kubernetes API on 127.0.0.1 that runs the Jobs of seeded CronJobs as local processes. */
export interface EmbeddedCluster {
  url: string;
  /** A kubeconfig as text, with the namespace as that of its context. */
  kubeconfig(namespace: string): string;
  /** Stores a CronJob (and its namespace) whose Jobs really run; a second call replaces it. Refuses what cannot be run truthfully. */
  seedCronJob(cronJob: JsonObject): Promise<JsonObject>;
  /** The newest requests, oldest first; at most 10,000. */
  requests: RecordedRequest[];
  resetRequests(): void;
  /** Ends every process, watch and connection. */
  close(): Promise<void>;
}

const requestLimit = 10_000;

/** Starts an embedded cluster. */
export async function startEmbeddedCluster(options: EmbeddedOptions = {}): Promise<EmbeddedCluster> {
  const schema = await loadSchema(RESOURCES.map((resource) => resource.schema));
  const store = createStore(options.rememberedChanges ?? 10_000);
  const seeds: Seeds = new Map();
  const node = await createNode(store, { images: options.images ?? {} });
  const stopControllers = startControllers(store, {
    mayRun: (job) => mayRun(seeds, job),
    podBackoffMs: options.podBackoffMs ?? 10_000,
  });
  const requests: RecordedRequest[] = [];
  const server = createApiServer({
    store,
    schema,
    logs: node.logs,
    onUnmodelled: options.onUnmodelled ?? printOnce(),
    onRequest: (method, path) => {
      if (requests.push({ method, path }) > requestLimit) requests.shift();
    },
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    kubeconfig: (namespace) => kubeconfig(url, namespace),
    seedCronJob: async (cronJob) => seedCronJob({ store, schema, seeds }, cronJob),
    requests,
    resetRequests: () => {
      requests.length = 0;
    },
    close: async () => {
      stopControllers();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await node.close();
      await closed;
    },
  };
}

function printOnce(): (method: string, path: string) => void {
  const printed = new Set<string>();
  return (method, path) => {
    const line = `${method} ${path}`;
    if (printed.has(line)) return;
    printed.add(line);
    process.stderr.write(`embedded cluster: not modelled: ${line}\n`);
  };
}

/** In JSON, which is YAML too. client-node speaks plain HTTP only to a cluster that is marked insecure. */
function kubeconfig(server: string, namespace: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "embedded", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "embedded", user: { token: "embedded" } }],
    contexts: [{ name: "embedded", context: { cluster: "embedded", user: "embedded", namespace } }],
    "current-context": "embedded",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
