import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../build.ts";
import { type FunctionProcess, startFunction } from "./support/function-process.ts";
import { until } from "./support/until.ts";

let directory: string;
let inputs: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-bundle-"));
  const { outputs } = await bundle(join(directory, "dist"));
  inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const dist = (file: string) => join(directory, "dist", file);

describe("the bundle", () => {
  it("holds nothing of the embedded cluster, the tests or the build", () => {
    const ours = inputs.filter((path) => !path.includes("node_modules/") && !path.includes(":"));
    expect(ours).toContain("functions/main.ts");
    expect(ours.filter((path) => !path.startsWith("functions/"))).toEqual(["packaging/clock.ts"]);
  });

  it("holds no package that only development needs", async () => {
    const { devDependencies } = JSON.parse(await readFile("package.json", "utf8")) as { devDependencies: object };
    const packages = inputs.flatMap((path) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    expect(packages).toContain("express");
    expect(packages.filter((name) => name in devDependencies)).toEqual([]);
  });

  it("comes with the licence of every package in it", async () => {
    const licenses = await readFile(dist("THIRD-PARTY-LICENSES.txt"), "utf8");
    const packages = new Set(inputs.flatMap((path) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
    expect([...packages].filter((name) => !licenses.includes(`${name} `))).toEqual([]);
  });

  it("leaves the source map aside, unnamed in the program", async () => {
    expect(await readdir(join(directory, "dist"))).toContain("sync-trigger.cjs.map");
    expect(await readFile(dist("sync-trigger.cjs"), "utf8")).not.toContain("sourceMappingURL");
  });
});

describe("the bundled function", () => {
  let api: Server;
  const apiRequests: string[] = [];
  const cronJob = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "sync", namespace: "n", uid: "u-1" },
    spec: { schedule: "@daily", jobTemplate: { spec: { madeUpField: 1, template: { spec: { containers: [] } } } } },
  };
  const stored: Record<string, unknown>[] = [];

  beforeAll(async () => {
    api = createServer(async (request, response) => {
      apiRequests.push(`${request.method} ${request.url}`);
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      if (request.method === "POST") stored.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.setHeader("content-type", "application/json");
      response.end(request.method === "POST" ? Buffer.concat(chunks) : JSON.stringify(cronJob));
    });
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
  });
  afterAll(() => api.close());

  async function start(cluster: object = {}, user: object = { token: "secret" }): Promise<FunctionProcess> {
    const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const kubeconfig = join(directory, "kubeconfig.yaml");
    const config = {
      clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true, ...cluster } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "n" } }],
      "current-context": "x",
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    return startFunction({ KUBECONFIG: kubeconfig, CRONJOB_NAME: "sync" }, { entry: dist("main.cjs") });
  }

  it("answers probes and a trigger, alone in its directory", async () => {
    const running = await start();
    try {
      for (const probe of ["liveness", "readiness"]) {
        expect((await fetch(`${running.url}/health/${probe}`)).status).toBe(200);
      }
      const answer = await fetch(`${running.url}/trigger-sync`, { method: "POST" });
      expect([answer.status, await answer.json()]).toMatchObject([200, { outcome: "created" }]);
      expect(apiRequests).toEqual([
        "GET /apis/batch/v1/namespaces/n/cronjobs/sync",
        expect.stringMatching("POST /apis/batch/v1/namespaces/n/jobs"),
      ]);
      expect(stored).toMatchObject([{ kind: "Job", spec: { madeUpField: 1 } }]);
    } finally {
      expect(await running.stop()).toBe(0);
    }
  });

  it("authenticates by an exec plugin of the kubeconfig", async () => {
    const status = { token: "from-plugin" };
    const credential = { kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1", status };
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: process.execPath,
      args: ["-p", JSON.stringify(JSON.stringify(credential))],
      interactiveMode: "Never",
    };
    const tokens: (string | undefined)[] = [];
    api.on("request", ({ headers }) => tokens.push(headers.authorization));
    const running = await start({}, { exec });
    try {
      expect((await fetch(`${running.url}/trigger-sync`, { method: "POST" })).status).toBe(200);
      expect(tokens).toContain("Bearer from-plugin");
    } finally {
      await running.stop();
    }
  });

  it.each([
    [
      "proxy-url",
      { "proxy-url": "http://127.0.0.1:9" },
      {},
      "hpagent is not in this build: a kubeconfig with proxy-url",
    ],
    ["proxy-url to SOCKS", { "proxy-url": "socks5://127.0.0.1:9" }, {}, "socks-proxy-agent is not in this build"],
    [
      "an expired oidc auth-provider",
      {},
      { "auth-provider": { name: "oidc", config: oidcConfig() } },
      "openid-client is not in this build: the kubeconfig auth-provider oidc cannot renew",
    ],
  ])("says that a kubeconfig with %s needs what is left out", async (_, cluster, user, sentence) => {
    const running = await start(cluster, user);
    try {
      const answer = await fetch(`${running.url}/trigger-sync`, { method: "POST" });
      expect(answer.ok).toBe(false);
      await until(`the log to say: ${sentence}`, () => running.output().includes(sentence));
    } finally {
      await running.stop();
    }
  });
});

describe("the bundled dead-letter program", () => {
  it("prints the event of $K_EVENT_PATH as one line", async () => {
    const event = { specversion: "1.0", id: "1", source: "/s", type: "t", knativeerrorcode: 422 };
    await writeFile(join(directory, "event"), JSON.stringify(event, null, 2));
    const output = execFileSync(process.execPath, [dist("print-event.mjs")], {
      env: { K_EVENT_PATH: directory },
      encoding: "utf8",
    });
    expect(output.split("\n")).toEqual([expect.any(String), ""]);
    expect(JSON.parse(output)).toEqual({ level: "error", msg: "dead letter", code: 422, event });
  });
});

function oidcConfig(): Record<string, string> {
  const jwt = [{ alg: "none" }, { exp: 1 }].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return {
    "id-token": `${jwt.join(".")}.x`,
    "client-id": "c",
    "refresh-token": "r",
    "idp-issuer-url": "http://127.0.0.1:9",
  };
}
