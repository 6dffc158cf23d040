// npm run dev: the function beside an embedded cluster that holds examples/kraken-sync.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import type { JsonObject } from "./api/json.ts";
import { startEmbeddedCluster } from "./embedded-cluster.ts";
import { curlLines } from "./run/curl-lines.ts";
import { findFreePort } from "./run/free-port.ts";
import { startFunction, waitUntilReady } from "./run/function-process.ts";
import { prettyLogLine } from "./run/pretty-log.ts";

const root = resolve(import.meta.dirname, "..");
const example = join(root, "examples/kraken-sync");
const namespace = "kraken";
const firstPort = 8080;
/** Another program may stand in the function's place: node dev/main.ts PROGRAM. */
const entry = process.argv[2] ?? join(root, "functions/main.ts");

const say = (text: string) => process.stdout.write(`${text}\n`);
/** What has been opened, closed in the opposite order. */
const closers: (() => Promise<unknown>)[] = [];
let isStopping = false;

async function stop(exitCode: number): Promise<never> {
  isStopping = true;
  for (const close of closers.reverse()) {
    await close().catch((error: unknown) => process.stderr.write(`dev: ${String(error)}\n`));
  }
  process.exit(exitCode);
}

async function start(): Promise<void> {
  const cluster = await startEmbeddedCluster({ images: { "dev.local/kraken-sync:1": example } });
  closers.push(() => cluster.close());
  const cronJob = parse(await readFile(join(example, "cronjob.yaml"), "utf8")) as JsonObject & { metadata: JsonObject };
  await cluster.seedCronJob({ ...cronJob, metadata: { ...cronJob.metadata, namespace } });

  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-dev-"));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, cluster.kubeconfig(namespace), { mode: 0o600 });

  const port = await findFreePort(firstPort);
  const env = {
    ...process.env,
    CRONJOB_NAME: "kraken-sync",
    CRONJOB_NAMESPACE: namespace,
    KUBECONFIG: kubeconfig,
    PORT: String(port),
    SYNC_STEPS: "trades=trade sync: * trades written;rewards=reward sync: * rewards written",
  };
  const child = startFunction(entry, env, (line) => say(prettyLogLine(line)));
  closers.push(() => child.stop());
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(url, child);
  child.ended.then((code) => {
    if (isStopping) return;
    process.stderr.write(`dev: the function ended with exit code ${code}\n`);
    void stop(1);
  });
  say("");
  for (const line of curlLines(url)) say(line);
  say("");
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Asked twice, it ends at once.
    if (isStopping) process.exit(1);
    void stop(0);
  });
}

await start().catch((error: unknown) => {
  process.stderr.write(`dev: ${error instanceof Error ? error.message : String(error)}\n`);
  return stop(1);
});
