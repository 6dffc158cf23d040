// Makes the code cache beside the bundle, with the Node that will run it: node dist/cache-code.cjs. The program starts as
// in a pod and serves requests first: functions that V8 compiles when they are first called are in the cache then.
import fs, { writeFileSync } from "node:fs";
import http, { createServer, type RequestListener, type Server } from "node:http";
import https, { type RequestOptions } from "node:https";
import { type AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import tls from "node:tls";
import { compileProgram } from "./compile-program.ts";

const deadlineMs = 60_000;
const cronJob = {
  metadata: { name: "sync", namespace: "default", uid: "1" },
  spec: { schedule: "@daily", jobTemplate: { metadata: {}, spec: { template: { spec: { containers: [{}] } } } } },
};

async function cacheCode(): Promise<void> {
  const apiPort = await listen(createServer(answerAsApiServer));
  const port = await findFreePort();
  pretendPod(apiPort);
  Object.assign(process.env, { CRONJOB_NAME: "sync", PORT: String(port), LOG_LEVEL: "info" });
  const { script, cachePath } = compileProgram(__dirname);
  script.runInThisContext()(require);
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/readiness`).catch(() => undefined))) await pause(10);
  const body = JSON.stringify({ reason: "to be compiled" });
  await expectStatus(200, `${url}/trigger-sync`, { "content-type": "application/json", "idempotency-key": "1" }, body);
  await expectStatus(200, `${url}/trigger-sync`, {});
  const event = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
  await expectStatus(202, `${url}/`, event);
  const structured = {
    specversion: "1.0",
    id: "2",
    source: "/s",
    type: "internal.sync-trigger.requested.v1",
    data: {},
  };
  await expectStatus(202, `${url}/`, { "content-type": "application/cloudevents+json" }, JSON.stringify(structured));
  writeFileSync(cachePath, script.createCachedData());
}

/** Posts, and throws when the answer is another than a program at work gives: its cache would lack what matters. */
async function expectStatus(status: number, url: string, headers: Record<string, string>, body?: string) {
  const answer = await fetch(url, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
  if (answer.status !== status) throw new Error(`${url}: ${answer.status}, ${await answer.text()}`);
  await answer.arrayBuffer();
}

const answerAsApiServer: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  response.writeHead(request.method === "POST" ? 201 : 200, { "content-type": "application/json" });
  response.end(request.method === "POST" ? Buffer.concat(chunks) : JSON.stringify(cronJob));
};

/**
 * Lets what runs in this process find what a pod has: the ServiceAccount's files, which need no root this way, and the API
 * server, which needs no certificate.
 */
function pretendPod(apiPort: number): void {
  Object.assign(process.env, { KUBERNETES_SERVICE_HOST: "kubernetes", KUBERNETES_SERVICE_PORT: "443", KUBECONFIG: "" });
  const mounted = "/var/run/secrets/kubernetes.io/serviceaccount/";
  const files: Record<string, string> = { token: "none", "ca.crt": "none", namespace: "default" };
  const find = (path: unknown) =>
    String(path).startsWith(mounted) ? files[String(path).slice(mounted.length)] : undefined;
  const { accessSync, readFileSync } = fs;
  fs.accessSync = (path, ...rest) => (find(path) ? undefined : accessSync(path, ...rest));
  fs.readFileSync = ((path: unknown, ...rest: []) => {
    const text = find(path);
    return text === undefined ? readFileSync(path as string, ...rest) : Buffer.from(text);
  }) as typeof readFileSync;
  tls.createSecureContext = () => ({ context: undefined });
  https.Agent.prototype.createConnection = () => new Socket(); // what is opened ahead, and not needed here
  https.request = ((options: RequestOptions, answered: () => void) =>
    http.request({ ...options, agent: undefined, host: "127.0.0.1", port: apiPort }, answered)) as typeof https.request;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function fail(error: Error): void {
  console.error(`the code cache was not made: ${error.stack}`);
  process.exit(1);
}

setTimeout(() => fail(new Error(`not done after ${deadlineMs} ms`)), deadlineMs).unref();
cacheCode().then(() => process.exit(0), fail);
