import { createApp } from "./app.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { createCluster } from "./kubernetes/client.ts";
import { loadCredentials } from "./kubernetes/credentials.ts";
import { createTransport } from "./kubernetes/transport.ts";
import { createLogger } from "./log.ts";
import { createRecordStore } from "./record-store.ts";
import { startServer } from "./server.ts";

/** Longer than any trigger takes, shorter than the grace period that the manifests give. */
const drainTimeoutMs = 20_000;

try {
  await main();
} catch (error) {
  // What an operator can mend is a sentence; anything else keeps its stack.
  process.stderr.write(`sync-trigger: ${error instanceof ConfigError ? error.message : describe(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger(config.logLevel);
  const credentials = loadCredentials();
  const namespace = config.cronJobNamespace ?? credentials.namespace;
  const transport = createTransport(credentials);
  const cluster = createCluster(transport, { ...config, namespace, timeoutMs: config.apiTimeoutMs });

  let draining = false;
  // A policy can be asked for per request only where every Job of ours is in the record.
  const isRecordUsed = config.dedupeWindowMs !== undefined || config.overlapPolicy !== "allow";
  const records = isRecordUsed ? createRecordStore(cluster) : undefined;
  const app = createApp({ config, cluster, namespace, records, log, isDraining: () => draining });
  const server = await startServer(app, config.port);
  log.info({ port: server.port, cronJob: `${namespace}/${config.cronJobName}` }, "listening");
  log.warn("AUTH_MODE is none: whoever reaches this port can run the CronJob");

  const stop = async (signal: string) => {
    if (draining) return;
    draining = true;
    log.info({ signal }, "draining");
    const answeredAll = await server.drain(drainTimeoutMs);
    credentials.close();
    log.info({ answeredAll }, "stopped");
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function describe(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return "the port is taken; set PORT to another one";
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
