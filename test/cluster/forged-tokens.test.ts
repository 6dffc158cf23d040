import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendRaw } from "../hostile/support/raw-socket.ts";
import { createAccount, tokenOf } from "../own-api-server/accounts.ts";
import { installed, seed, settingsFor } from "../own-api-server/installation.ts";
import { type OwnCluster, startOwnCluster } from "../own-api-server/own-api-server.ts";
import { makeSigningKey } from "../own-api-server/signing-key.ts";
import { makeCertificate } from "../support/certificates.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs } from "../support/jobs.ts";

// The key of a real API server's issuer, so that each token is wrong in one thing alone.

const audience = "sync-trigger";
const issuerKey = makeSigningKey();
const privateKey = createPrivateKey(issuerKey.privateKey);

let directory: string;
let cluster: OwnCluster;
let api: Awaited<ReturnType<OwnCluster["startApiServer"]>>["api"];
let fn: FunctionProcess;
/** A token that the API server made; others are made from it. */
let real: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-forged-"));
  cluster = await startOwnCluster();
  const apiServer = await cluster.startApiServer({ certificate: makeCertificate("api"), signingKeys: [issuerKey] });
  ({ api } = apiServer);
  await seed(api);
  for (const name of ["page", "stranger"]) await createAccount(api, name);
  real = await tokenOf(api, "page", audience);
  fn = await startFunction({
    ...(await settingsFor(directory, apiServer.port, apiServer.kubeconfig)),
    ...{ AUTH_MODE: "jwt", AUTH_AUDIENCE: audience, AUTH_TRIGGER_SUBJECTS: "serviceaccount:page" },
  });
});

afterAll(async () => {
  await fn?.stop();
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});

type Changes = { [claim in keyof JWTPayload]: JWTPayload[claim] | undefined };
const now = () => Math.floor(Date.now() / 1_000);

/** The real token with other claims, signed as the API server signs unless told otherwise. */
function remake(changes: Changes, { key = privateKey, header = {} }: { key?: KeyObject; header?: object } = {}) {
  const claims = Object.entries({ ...decodeJwt(real), ...changes }).filter(([, value]) => value !== undefined);
  const protectedHeader = { ...decodeProtectedHeader(real), alg: "RS256", ...header };
  return new SignJWT(Object.fromEntries(claims)).setProtectedHeader(protectedHeader).sign(key);
}

const anotherKey = () => generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
const publicPem = () => createPublicKey(privateKey).export({ type: "spki", format: "pem" });

async function statusFor(authorization: string | undefined): Promise<number> {
  const headers = authorization === undefined ? {} : { authorization };
  return (await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers })).status;
}

test.each<[what: string, token: () => string | Promise<string>]>([
  ["as it is", () => real],
  ["made again with the issuer's key", () => remake({})],
])("the real token %s gets in", async (_what, token) => {
  expect(await statusFor(`Bearer ${await token()}`)).toBe(200);
});

test.each<[what: string, status: number, token: () => string | Promise<string>]>([
  ["expired", 401, () => remake({ exp: now() - 60, nbf: now() - 120, iat: now() - 120 })],
  ["not valid yet", 401, () => remake({ nbf: now() + 60 })],
  ["without an end", 401, () => remake({ exp: undefined })],
  ["of a foreign issuer", 401, () => remake({ iss: "https://issuer.example" })],
  ["for a foreign audience", 401, () => tokenOf(api, "page", "another")],
  ["for the API server", 401, () => tokenOf(api, "page")],
  ["with our audience changed into it", 401, () => remake({ aud: ["another"] })],
  ["of a key that the API server does not have", 401, () => remake({}, { key: anotherKey() })],
  ["of such a key, with a key id of its own", 401, () => remake({}, { key: anotherKey(), header: { kid: "own" } })],
  [
    "that brings its key along",
    401,
    () => remake({}, { key: anotherKey(), header: { kid: "own", jwk: { kty: "RSA" } } }),
  ],
  ["with alg none", 401, () => new UnsecuredJWT(decodeJwt(real)).encode()],
  [
    "signed HS256 with the public key",
    401,
    () => {
      const header = { ...decodeProtectedHeader(real), alg: "HS256" };
      return new SignJWT(decodeJwt(real)).setProtectedHeader(header).sign(Buffer.from(publicPem()));
    },
  ],
  ["without its signature", 401, () => real.replace(/[^.]+$/, "")],
  ["cut", 401, () => real.slice(0, -10)],
  ["of somebody who is not listed", 403, () => tokenOf(api, "stranger", audience)],
  [
    "of a subject that looks like one who is",
    403,
    () => remake({ sub: `system:serviceaccount:${installed.namespace}:page ` }),
  ],
])("a token %s is answered %i", async (_what, status, token) => {
  const before = (await listJobs(api, installed.namespace)).length;
  expect(await statusFor(`Bearer ${await token()}`)).toBe(status);
  expect(await listJobs(api, installed.namespace)).toHaveLength(before);
});

test.each<[what: string, status: number, headers: () => string[]]>([
  ["no header", 401, () => []],
  ["an empty header", 401, () => [""]],
  ["no token", 401, () => ["Bearer "]],
  ["another scheme", 400, () => [`Basic ${real}`]],
  ["two tokens in one", 400, () => [`Bearer ${real} ${real}`]],
  ["two headers, both good", 401, () => [`Bearer ${real}`, `Bearer ${real}`]],
  ["two headers, one good", 401, () => ["Bearer wrong", `Bearer ${real}`]],
])("%s is answered %i", async (_what, status, headers) => {
  const lines = headers().map((value) => `Authorization: ${value}\r\n`);
  const request = `POST /trigger-sync HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines.join("")}Content-Length: 0\r\n\r\n`;
  expect((await sendRaw(fn.url, request, { patienceMs: 10_000 })).statuses).toEqual([status]);
});
