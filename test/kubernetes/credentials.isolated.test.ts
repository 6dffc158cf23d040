import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Credentials, loadCredentials, toPlace } from "../../functions/kubernetes/credentials.ts";
import { createTransport, NoAnswer } from "../../functions/kubernetes/transport.ts";
import { json, startApiStub } from "../support/api-stub.ts";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { makeDirectory, writeKubeconfig } from "../support/kubeconfig.ts";

let server: Certificate;
let client: Certificate;
let stranger: Certificate;
beforeAll(() => {
  server = makeCertificate("api");
  client = makeCertificate("sync-trigger");
  stranger = makeCertificate("stranger");
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const base64 = (text: string) => Buffer.from(text).toString("base64");

function load(kubeconfig: string, context?: string): Credentials {
  vi.stubEnv("KUBECONFIG", kubeconfig);
  const credentials = loadCredentials(context);
  onTestFinished(() => credentials.close());
  return credentials;
}

const send = (credentials: Credentials) =>
  createTransport(credentials).send({
    method: "GET",
    path: "/x",
    timeoutMs: 5_000,
    signal: new AbortController().signal,
  });

describe("credentials of a kubeconfig", () => {
  it.each<[what: string, user: () => object, authorization: string | undefined]>([
    ["a token", () => ({ token: "abc" }), "Bearer abc"],
    ["user name and password", () => ({ username: "u", password: "p:ü" }), `Basic ${base64("u:p:ü")}`],
    ["nothing", () => ({}), undefined],
    ["an exec plugin", () => ({ exec: execPlugin("from-plugin") }), "Bearer from-plugin"],
    ["a token file", () => ({ "auth-provider": tokenFile("from-file") }), "Bearer from-file"],
  ])("with %s go out with each request", async (_what, user, authorization) => {
    const stub = await startApiStub();
    const credentials = load(writeKubeconfig({ cluster: { server: stub.server }, user: user() }));
    await send(credentials);
    expect(stub.requests[0]?.headers.authorization).toBe(authorization);
  });

  it("name the namespace of the context, or default", async () => {
    const cluster = { server: "https://127.0.0.1:1" };
    expect(load(writeKubeconfig({ cluster, namespace: "kraken" })).namespace).toBe("kraken");
    expect(load(writeKubeconfig({ cluster })).namespace).toBe("default");
    expect(load(writeKubeconfig({ cluster, namespace: " kraken\n" })).namespace).toBe("kraken");
  });

  it("that name no cluster are refused at once, in a sentence", () => {
    expect(() => load(writeKubeconfig({ cluster: { server: "" } }))).toThrow("cluster.server is missing");
    const kubeconfig = writeKubeconfig({ cluster: { server: "https://127.0.0.1:1" } });
    expect(() => load(kubeconfig, "other")).toThrow("no Kubernetes cluster: neither in a pod nor a kubeconfig");
  });

  it("that are nowhere are refused at once, and localhost:8080 is not guessed", () => {
    vi.stubEnv("HOME", "/nonexistent");
    expect(() => load("")).toThrow("no Kubernetes cluster: neither in a pod nor a kubeconfig");
  });
});

it.each([
  ["https://kubernetes.default.svc", { isSecure: true, host: "kubernetes.default.svc", port: "", basePath: "" }],
  ["http://127.0.0.1:8001/", { isSecure: false, host: "127.0.0.1", port: "8001", basePath: "" }],
  ["https://[fd00::1]:6443/k8s/c-1/", { isSecure: true, host: "fd00::1", port: "6443", basePath: "/k8s/c-1" }],
])("the server %s is taken apart", (server, place) => {
  expect(toPlace(new URL(server))).toEqual(place);
});

describe("TLS", () => {
  it("trusts the kubeconfig's authority, shows the client's certificate, and takes one handshake for many calls", async () => {
    const stub = await startApiStub({ tls: { ...server, requestCert: true, ca: client.cert } });
    const cluster = { server: stub.server, "certificate-authority-data": base64(server.cert) };
    const user = { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) };
    const credentials = load(writeKubeconfig({ cluster, user }));
    for (let call = 0; call < 10; call += 1) expect((await send(credentials)).status).toBe(200);
    expect([stub.requests.length, stub.connections()]).toEqual([10, 1]);
  });

  it.each([
    ["another authority's", () => base64(stranger.cert)],
    ["no authority's", () => undefined],
  ])("refuses a server with %s certificate, before anything is sent", async (_what, ca) => {
    const stub = await startApiStub({ tls: server });
    const cluster = { server: stub.server, "certificate-authority-data": ca() };
    const credentials = load(writeKubeconfig({ cluster, user: { token: "abc" } }));
    const error = await send(credentials).catch((reason) => reason);
    expect(error).toBeInstanceOf(NoAnswer);
    expect(error).toMatchObject({ sent: false, message: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/) });
    expect(stub.requests).toEqual([]);
  });

  it("checks the server's name, or the one that the kubeconfig gives", async () => {
    const stub = await startApiStub({ tls: server });
    const localhost = stub.server.replace("127.0.0.1", "localhost");
    const authority = { server: localhost, "certificate-authority-data": base64(server.cert) };
    const wrong = await send(load(writeKubeconfig({ cluster: authority }))).catch((reason) => reason);
    expect(wrong).toMatchObject({ sent: false, message: "ERR_TLS_CERT_ALTNAME_INVALID" });
    const named = { ...authority, "tls-server-name": "api.test" };
    expect((await send(load(writeKubeconfig({ cluster: named })))).status).toBe(200);
  });
});

describe("what changes while we run", () => {
  it("a token that the API server refuses is read again from the kubeconfig at once", async () => {
    const stub = await startApiStub();
    const kubeconfig = writeKubeconfig({ cluster: { server: stub.server }, user: { token: "old" } });
    const credentials = load(kubeconfig);
    writeKubeconfig({ cluster: { server: stub.server }, user: { token: "new" } }, kubeconfig);
    stub.answer(json(401, {}), json(200, {}));
    expect((await send(credentials)).status).toBe(200);
    expect(stub.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer old", "Bearer new"]);
    expect(stub.connections(), "a new token needs no new connection").toBe(1);
  });

  it("a token file that kubelet renews is read again, without any 401", async () => {
    const provider = tokenFile("first");
    const stub = await startApiStub();
    const credentials = load(
      writeKubeconfig({ cluster: { server: stub.server }, user: { "auth-provider": provider } }),
    );
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    const authorizationAfter = async (seconds: number) => {
      vi.advanceTimersByTime(seconds * 1_000);
      return (await credentials.access()).headers.Authorization;
    };
    expect(await authorizationAfter(0)).toBe("Bearer first");
    writeFileSync(provider.config.tokenFile, "second");
    expect(await authorizationAfter(29)).toBe("Bearer first");
    expect(await authorizationAfter(62)).toBe("Bearer second");
    await credentials.reload();
    writeFileSync(provider.config.tokenFile, "third");
    await credentials.reload();
    expect(await authorizationAfter(0)).toBe("Bearer third");
  });

  it("keeps its connections while certificates stay, and opens new ones when they change", async () => {
    const stub = await startApiStub();
    const kubeconfig = writeKubeconfig({ cluster: { server: stub.server }, user: { token: "a" } });
    const credentials = load(kubeconfig);
    const { agent, streamAgent } = await credentials.access();
    await credentials.reload();
    expect(await credentials.access()).toMatchObject({ agent, streamAgent });
    expect((await credentials.access()).agent).toBe(agent);
    const cluster = { server: stub.server, "certificate-authority-data": base64(server.cert) };
    writeKubeconfig({ cluster, user: { token: "a" } }, kubeconfig);
    await credentials.reload();
    expect((await credentials.access()).agent).not.toBe(agent);
  });

  it("lets a request under way have its answer when certificates change", async () => {
    const stub = await startApiStub();
    const kubeconfig = writeKubeconfig({ cluster: { server: stub.server }, user: { token: "a" } });
    const credentials = load(kubeconfig);
    let finish = () => {};
    const arrived = new Promise<void>((resolve) => {
      stub.answer((response, request) => {
        finish = () => json(200, { done: true })(response, request);
        resolve();
      });
    });
    const sending = send(credentials);
    await arrived;
    const cluster = { server: stub.server, "certificate-authority-data": base64(server.cert) };
    writeKubeconfig({ cluster, user: { token: "a" } }, kubeconfig);
    await credentials.reload();
    finish();
    expect(await sending).toMatchObject({ status: 200, body: '{"done":true}' });
  });

  it("reads nothing for most calls: of 100 in a row the file is read once", async () => {
    const provider = tokenFile("first");
    const stub = await startApiStub();
    const credentials = load(
      writeKubeconfig({ cluster: { server: stub.server }, user: { "auth-provider": provider } }),
    );
    const accesses = await Promise.all(Array.from({ length: 100 }, () => credentials.access()));
    expect(new Set(accesses.map(({ agent }) => agent)).size).toBe(1);
  });
});

describe("no credential shows up in an error", () => {
  const secret = "s3cr3t-token";

  it.each<[what: string, user: () => object]>([
    ["a token with a line break", () => ({ token: `${secret}\n` })],
    ["a token file with a line break", () => ({ "auth-provider": tokenFile(`${secret}\n`) })],
    ["a token with letters that no header may have", () => ({ token: `${secret}ü€` })],
    ["a token to a server that is not there", () => ({ token: secret })],
    ["a password", () => ({ username: secret, password: secret })],
    [
      "a client key that is none",
      () => ({ "client-certificate-data": base64(secret), "client-key-data": base64(secret) }),
    ],
  ])("of %s", async (_what, user) => {
    const cluster = { server: "https://127.0.0.1:1" };
    const error: unknown = await send(load(writeKubeconfig({ cluster, user: user() }))).catch((reason) => reason);
    expect(error).toBeInstanceOf(Error);
    for (let at = error; at instanceof Error; at = at.cause) {
      expect(`${at.name} ${at.message} ${at.stack}`).not.toMatch(
        new RegExp(`${secret}|${base64(secret).slice(0, 12)}`),
      );
    }
  });
});

function tokenFile(token: string) {
  const path = join(makeDirectory(), "token");
  writeFileSync(path, token);
  return { name: "tokenFile", config: { tokenFile: path } };
}

function execPlugin(token: string): object {
  const apiVersion = "client.authentication.k8s.io/v1";
  const credential = JSON.stringify({ kind: "ExecCredential", apiVersion, status: { token } });
  return { apiVersion, command: process.execPath, args: ["-p", JSON.stringify(credential)], interactiveMode: "Never" };
}
