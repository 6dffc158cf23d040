import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, revocableTokenOf, tokenOf } from "../own-api-server/accounts.ts";
import { countStatuses, findWrongs } from "../own-api-server/check-load.ts";
import { installed, seed } from "../own-api-server/installation.ts";
import { type Attempt, type Load, startLoad } from "../own-api-server/load.ts";
import { type ApiServer, type OwnCluster, startOwnCluster } from "../own-api-server/own-api-server.ts";
import { type Relay, startRelay } from "../own-api-server/relay.ts";
import { makeSigningKey } from "../own-api-server/signing-key.ts";
import { makeCertificate } from "../support/certificates.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { canMount, inPod, podEnvironment } from "../support/in-pod.ts";
import { until } from "../support/until.ts";

// Everything that can be rotated is, one after the other, under load: the function's own token, callers' static tokens,
// the API server's authority, its signing keys. The API servers are replaced as on a cluster with several.

const audience = "sync-trigger";
const [oldStatic, newStatic] = ["the-old-token-of-a-script", "the-new-token-of-a-script"] as const;
const [oldKey, newKey] = [makeSigningKey(), makeSigningKey()] as const;
const [oldCertificate, newCertificate] = [makeCertificate("old"), makeCertificate("new")] as const;

let directory: string;
let cluster: OwnCluster;
let apiServer: ApiServer;
let relay: Relay;
let fn: FunctionProcess;
let load: Load;
let oldJwt: string;
let ownToken: Awaited<ReturnType<typeof revocableTokenOf>>;
/** What callers send; the load takes turns. */
const callers = { jwt: "", script: oldStatic as string };

/** Replaces a file in one step, as kubelet does. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(join(directory, "next"), text, { mode: 0o600 });
  await rename(join(directory, "next"), join(directory, path));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-rotation-"));
  for (const name of ["account", "tokens"]) await mkdir(join(directory, name));
  cluster = await startOwnCluster();
  apiServer = await cluster.startApiServer({ certificate: oldCertificate, signingKeys: [oldKey] });
  await seed(apiServer.api);
  await createAccount(apiServer.api, "function", { isFunction: true });
  await createAccount(apiServer.api, "page");
  relay = await startRelay(apiServer.port);
  ownToken = await revocableTokenOf(apiServer.api, "function");
  oldJwt = await tokenOf(apiServer.api, "page", audience);
  callers.jwt = oldJwt;
  await put("account/token", ownToken.token);
  await put("account/ca.crt", oldCertificate.cert);
  await put("account/namespace", installed.namespace);
  await put("tokens/first", oldStatic);
  fn = await startFunction(
    {
      ...podEnvironment("127.0.0.1", relay.port),
      ...{ CRONJOB_NAME: installed.cronJobName, AUTH_MODE: "token,jwt", AUTH_AUDIENCE: audience },
      ...{ AUTH_TOKEN_DIRECTORY: join(directory, "tokens") },
      AUTH_TRIGGER_SUBJECTS: "serviceaccount:page, token:first, token:second",
    },
    { wrap: (command) => inPod(join(directory, "account"), command) },
  );
  const headers = (attempt: number) => ({ authorization: `Bearer ${attempt % 2 ? callers.jwt : callers.script}` });
  load = startLoad(fn.url, { clients: 8, isRepeated: false, prefix: "rotation", headers });
  await until("the load to be steady", () => load.attempts.length >= 200);
});

afterAll(async () => {
  await load?.stop();
  await fn?.stop();
  await relay?.close();
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});

/** A request beside the load's. */
const probe: Attempt = { id: "probe", key: "probe", sentAtMs: 0, endedAtMs: 0, status: 0 };

/** What the function answers to a credential. */
async function ask(credential: string): Promise<number> {
  const headers = { authorization: `Bearer ${credential}`, "idempotency-key": probe.key };
  return (await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers })).status;
}

/** What the API server answers to a token of the function. */
async function statusFor(token: string): Promise<number> {
  const path = `/apis/batch/v1/namespaces/${installed.namespace}/cronjobs/${installed.cronJobName}`;
  return (await apiServer.api.call("GET", path, undefined, { authorization: `Bearer ${token}` })).status;
}

/** A token that the API server's issuer never signed. */
async function strangersToken(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256");
  const sub = `system:serviceaccount:${installed.namespace}:page`;
  const claims = new SignJWT({ iss: "https://kubernetes.default.svc", aud: audience, sub }).setExpirationTime("1h");
  return claims.setProtectedHeader({ alg: "RS256", kid: "stranger" }).sign(privateKey);
}

/** Some more requests under what holds now, and nothing but success so far. */
async function expectNoFailure(): Promise<void> {
  const seen = load.attempts.length;
  await until("some more requests", () => load.attempts.length >= seen + 100);
  expect(countStatuses(load.attempts)).toEqual({ 200: load.attempts.length });
}

/** Waits until the function uses another authority: with it come new connections for all clients. */
async function untilAuthorityIsRead(opened: number): Promise<void> {
  await until("connections under the new authority", () => relay.opened() >= opened + 5, 60_000);
}

/** Leads to another API server and ends the one before it gracefully. */
async function replaceApiServer(next: ApiServer): Promise<void> {
  relay.leadTo(next.port);
  await apiServer.stop("SIGTERM");
  apiServer = next;
}

describe.skipIf(!canMount())("under load no request fails", { timeout: 120_000 }, () => {
  test("when the function's own token is replaced and the old one revoked", async () => {
    const old = ownToken;
    ownToken = await revocableTokenOf(apiServer.api, "function");
    await put("account/token", ownToken.token);
    await old.revoke();
    // The API server remembers good tokens for 10 s.
    await until("the old token to be refused", async () => (await statusFor(old.token)) === 401, 30_000);
    await expectNoFailure();
  });

  test("when a caller's static token is replaced", async () => {
    await put("tokens/second", newStatic);
    await until("the new token to count", async () => (await ask(newStatic)) === 200);
    callers.script = newStatic;
    const moved = load.attempts.length;
    await until("all callers to have moved", () => load.attempts.length >= moved + 20);
    await rm(join(directory, "tokens/first"));
    await until("the old token to be refused", async () => (await ask(oldStatic)) === 401);
    await expectNoFailure();
  });

  test("when the API server gets a certificate of another authority, and another key that signs tokens", async () => {
    const opened = relay.opened();
    await put("account/ca.crt", oldCertificate.cert + newCertificate.cert);
    await untilAuthorityIsRead(opened);
    await replaceApiServer(
      await cluster.startApiServer({ certificate: newCertificate, signingKeys: [newKey, oldKey] }),
    );
    callers.jwt = await tokenOf(apiServer.api, "page", audience); // signed by a key that the function has not seen
    await expectNoFailure();
  });

  test("when the old authority and the old key are gone", async () => {
    ownToken = await revocableTokenOf(apiServer.api, "function");
    await put("account/token", ownToken.token);
    const opened = relay.opened();
    await put("account/ca.crt", newCertificate.cert);
    await untilAuthorityIsRead(opened);
    await replaceApiServer(await cluster.startApiServer({ certificate: newCertificate, signingKeys: [newKey] }));
    await expectNoFailure();
    // Known keys are read again every 5 minutes, and at once for a key that is not known.
    expect(await ask(await strangersToken())).toBe(401);
    expect(await ask(oldJwt), "a token of a revoked key").toBe(401);
    await expectNoFailure();
  });

  test("and every answer was right", async () => {
    await load.stop();
    console.log(countStatuses(load.attempts));
    expect(await findWrongs(apiServer.api, installed, [...load.attempts, probe])).toEqual([]);
  });
});
