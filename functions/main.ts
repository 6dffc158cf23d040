import { createApp } from "./app.ts";
import { type Authenticate, createAuthenticate, type Verify } from "./auth.ts";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { createCluster } from "./kubernetes/client.ts";
import { loadCredentials } from "./kubernetes/credentials.ts";
import { createIssuerDiscovery } from "./kubernetes/issuer.ts";
import { shareReads } from "./kubernetes/share-reads.ts";
import { createTransport, type Transport } from "./kubernetes/transport.ts";
import { createLogger } from "./log.ts";
import { countCalls, createMetrics } from "./metrics.ts";
import { createPolicyCanary } from "./policy-canary.ts";
import { createRecordStore, readAhead } from "./record-store.ts";
import { createRunAnnouncer } from "./run-announcer.ts";
import { startServer } from "./server.ts";

/** Longer than any trigger takes; with what follows shorter than the grace period that the manifests give. */
const drainTimeoutMs = 17_000;
/** For Events that are still to be sent, and reservations that are still to be given back. */
const settleTimeoutMs = 2_000;

main().catch((error) => {
  // What an operator can mend is a sentence; anything else keeps its stack.
  process.stderr.write(`sync-trigger: ${error instanceof ConfigError ? error.message : describe(error)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger(config.logLevel);
  const credentials = loadCredentials();
  const namespace = config.cronJobNamespace ?? credentials.namespace;
  const transport = createTransport(credentials);
  const metrics = createMetrics();
  const options = { ...config, namespace, timeoutMs: config.apiTimeoutMs };
  const cluster = shareReads(countCalls(createCluster(transport, options), metrics));

  const draining = new AbortController();
  // A policy can be asked for per request only where every Job of ours is in the record.
  const isRecordUsed = config.dedupeWindowMs !== undefined || config.overlapPolicy !== "allow";
  const records = isRecordUsed ? createRecordStore(cluster) : undefined;
  const authenticate = await createAuthentication(config, transport, namespace);
  const policyCanary = createPolicyCanary(cluster, { isRequired: config.requirePolicy === "true", metrics, log });
  const announcer = config.kubernetesEvents === "on" ? createRunAnnouncer(cluster, log) : undefined;
  const app = createApp({
    ...{ config, cluster, namespace, records, policyCanary, announcer },
    ...{ authenticate, metrics, log, draining: draining.signal },
  });
  const server = await startServer(app, config, ({ id, status, code }) => {
    metrics.countRequest({ door: "unread", outcome: code, cause: undefined, status, durationS: 0 });
    log.warn({ id, status, code }, "request");
  });
  const stop = async (signal: string) => {
    if (draining.signal.aborted) return;
    draining.abort();
    log.info({ signal }, "draining");
    const answeredAll = await server.drain(drainTimeoutMs);
    await Promise.all([announcer?.settle(settleTimeoutMs), records?.settle(settleTimeoutMs)]);
    credentials.close();
    log.info({ answeredAll }, "stopped");
    process.exit(0);
  };
  credentials.connect();
  if (records) readAhead(records);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (!authenticate) log.warn("AUTH_MODE is none: whoever reaches this port can run the CronJob");
  // Behind all else: whoever reads it may send a signal.
  log.info({ port: server.port, cronJob: `${namespace}/${config.cronJobName}` }, "listening");
}

/** undefined: AUTH_MODE is none. What checks credentials is loaded only where it is asked for. */
async function createAuthentication(
  config: Config,
  transport: Transport,
  namespace: string,
): Promise<Authenticate | undefined> {
  const modes = config.authMode.split(",");
  const verifiers: Verify[] = [];
  if (modes.includes("token")) {
    const { createTokenVerifier } = await import("./auth/tokens.ts");
    verifiers.push(createTokenVerifier(config.authTokenDirectory));
  }
  if (modes.includes("jwt")) {
    const { createJwtVerifier } = await import("./auth/jwt.ts");
    const discovery = createIssuerDiscovery(transport, { timeoutMs: config.apiTimeoutMs });
    verifiers.push(createJwtVerifier(discovery, { audience: config.authAudience }));
  }
  return verifiers.length > 0 ? createAuthenticate(verifiers, { ...config, namespace }) : undefined;
}

function describe(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return "the port is taken; set PORT to another one";
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
