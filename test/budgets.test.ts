import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, cacheCode } from "../build.ts";
import { type FunctionProcess, startFunction } from "./support/function-process.ts";
import { until } from "./support/until.ts";

/**
 * What a cold start and a trigger may cost, in counts: times differ with the machine (`npm run bench` has those). Whatever
 * needs more than this wants a reason.
 */
const budgets = {
  bundleBytes: 500_000,
  cacheBytes: 550_000,
  modules: 310,
  /** Modules of Node's own when the port opens; a bare server on node:http and node:https needs 137. */
  nodeModules: 150,
  /** Files that are opened until the port is: loader, program, its cache, kubeconfig. */
  openedFiles: 6,
};

const directory = mkdtempSync(join(tmpdir(), "sync-trigger-budgets-"));
let modules: string[];
beforeAll(async () => {
  const { outputs } = await bundle(directory);
  const [program = ""] = Object.keys(outputs).filter((path) => path.endsWith("sync-trigger.cjs"));
  modules = Object.entries(outputs[program]?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  );
  cacheCode(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the bundle", () => {
  it(`has at most ${budgets.bundleBytes} bytes, its code cache ${budgets.cacheBytes}`, () => {
    expect(statSync(join(directory, "sync-trigger.cjs")).size).toBeLessThanOrEqual(budgets.bundleBytes);
    expect(statSync(join(directory, "sync-trigger.cache")).size).toBeLessThanOrEqual(budgets.cacheBytes);
  });

  it(`has at most ${budgets.modules} modules`, () => {
    expect(modules).toContain("functions/main.ts");
    expect(modules.length).toBeLessThanOrEqual(budgets.modules);
  });
});

describe("before it listens, the program", () => {
  it(`opens at most ${budgets.openedFiles} files and loads at most ${budgets.nodeModules} modules of Node's`, async () => {
    const hook = join(directory, "count-modules.cjs");
    writeFileSync(
      hook,
      `const { Server } = require("node:net"), { listen } = Server.prototype;
      Server.prototype.listen = function (...given) {
        const modules = process.moduleLoadList.filter((name) => name.startsWith("NativeModule "));
        console.log(JSON.stringify({ msg: "about to listen", modules: modules.length }));
        return listen.apply(this, given);
      };`,
    );
    const trace = join(directory, "trace.json");
    const options = `--require ${hook} --trace-event-categories node.fs.sync,node.fs.async --trace-event-file-pattern ${trace}`;
    const running = await start("http://127.0.0.1:1", { NODE_OPTIONS: options });
    expect(await running.stop()).toBe(0);
    const counted = running.log.find(({ msg }) => msg === "about to listen")?.modules;
    expect(counted).toBeGreaterThan(50);
    expect(counted).toBeLessThanOrEqual(budgets.nodeModules);
    const { traceEvents } = JSON.parse(readFileSync(trace, "utf8")) as {
      traceEvents: { cat: string; name: string; ph: string }[];
    };
    const isOpen = ({ cat, name }: { cat: string; name: string }) =>
      name === "fs.sync.open" || (name === "open" && cat.includes("node.fs.async"));
    const opened = traceEvents.filter((event) => isOpen(event) && event.ph.toLowerCase() === "b");
    const ofHook = 1;
    expect(opened.length).toBeGreaterThan(ofHook + 1);
    expect(opened.length).toBeLessThanOrEqual(budgets.openedFiles + ofHook);
  });
});

describe("requests to the API server", () => {
  let api: Server;
  let requests: string[] = [];
  let hold: Promise<void> | undefined;
  beforeAll(async () => {
    api = createServer(async (request: IncomingMessage, response: ServerResponse) => {
      requests.push(request.method ?? "");
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      if (request.method === "GET") await hold;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(request.method === "POST" ? Buffer.concat(chunks) : JSON.stringify(cronJob));
    }).listen(0, "127.0.0.1");
    await once(api, "listening");
  });
  afterAll(() => api.close());

  // A read that is held is given up only after the longest time, however long the others need to be there.
  const startHere = () => start(`http://127.0.0.1:${(api.address() as AddressInfo).port}`, { API_TIMEOUT_MS: "10000" });
  const trigger = ({ url }: FunctionProcess) => fetch(`${url}/trigger-sync`, { method: "POST" });

  it("are two for a trigger alone", async () => {
    const running = await startHere();
    try {
      requests = [];
      for (const _time of [1, 2]) expect((await trigger(running)).status).toBe(200);
      expect(requests).toEqual(["GET", "POST", "GET", "POST"]);
    } finally {
      await running.stop();
    }
  });

  it("are 102 for 100 triggers that come while one reads: a create each, and a read for those who wait", async () => {
    const running = await startHere();
    try {
      requests = [];
      const { promise, resolve: release } = Promise.withResolvers<void>();
      hold = promise;
      const first = trigger(running);
      await until("the first to read", () => requests.length === 1);
      const others = Array.from({ length: 99 }, () => trigger(running));
      await until("all of them to be at work", async () => {
        const metrics = await (await fetch(`${running.url}/metrics`)).text();
        return Number(/^sync_trigger_requests_in_flight (\d+)$/m.exec(metrics)?.[1]) === 101; // and this one
      });
      release();
      for (const { status } of await Promise.all([first, ...others])) expect(status).toBe(200);
      expect(requests.filter((method) => method === "POST")).toHaveLength(100);
      expect(requests.filter((method) => method === "GET")).toHaveLength(2);
    } finally {
      hold = undefined;
      await running.stop();
    }
  });
});

const cronJob = {
  metadata: { name: "sync", namespace: "n", uid: "u-1" },
  spec: { schedule: "@daily", jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
};

function start(server: string, env: Record<string, string> = {}): Promise<FunctionProcess> {
  const kubeconfig = join(directory, "kubeconfig.yaml");
  const config = {
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "n" } }],
    "current-context": "x",
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  return startFunction(
    { KUBECONFIG: kubeconfig, CRONJOB_NAME: "sync", ...env },
    { entry: join(directory, "main.cjs") },
  );
}
