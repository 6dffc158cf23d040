import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createJwtVerifier, type IssuerDiscovery } from "../../functions/auth/jwt.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { faultOf } from "../support/fault-of.ts";

const issuer = "https://kubernetes.default.svc";
const audience = "sync-trigger";
const sub = "system:serviceaccount:kraken:page";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let good: Pair;
let other: Pair;
let edwards: { pair: Pair; kid: string; alg: string };

beforeAll(async () => {
  [good, other] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  edwards = { pair: await generateKeyPair("Ed25519"), kid: "ed", alg: "Ed25519" };
});

const toJwk = async ({ publicKey }: Pair, kid: string) => ({
  ...(await exportJWK(publicKey)),
  kid,
  alg: "RS256",
  use: "sig",
});

/** Discovery that answers from `keys`, which a test may change, and counts how often it was asked. */
async function discoveryOf(keys: JsonObject[]) {
  const asked = { keys: 0 };
  const discovery: IssuerDiscovery = {
    getIssuer: async () => ({ issuer }),
    getKeys: async () => {
      asked.keys += 1;
      return { keys: [...keys] };
    },
  };
  return { discovery, asked };
}

/** A verifier with one good key, which can be read as long as the network does not fail. */
async function verifierOver(network: { fails: boolean }) {
  const { discovery } = await discoveryOf([await toJwk(good, "1")]);
  const getKeys: IssuerDiscovery["getKeys"] = async (options) => {
    if (network.fails) throw new Error("unreachable");
    return discovery.getKeys(options);
  };
  return createJwtVerifier({ ...discovery, getKeys }, { audience });
}

const now = () => Math.floor(Date.now() / 1_000);

function sign(
  claims: { [name in keyof JWTPayload]: JWTPayload[name] | undefined },
  { pair = good, kid = "1", alg = "RS256" } = {},
): Promise<string> {
  const all = { iss: issuer, aud: [audience], sub, iat: now(), nbf: now(), exp: now() + 600, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(pair.privateKey);
}

describe("a JWT", () => {
  const rows: [what: string, token: () => string | Promise<string>, expected: string | undefined][] = [
    ["for our audience of the cluster's issuer", () => sign({}), sub],
    ["with our audience among others", () => sign({ aud: ["a", audience] }), sub],
    ["expired", () => sign({ exp: now() - 60 }), undefined],
    ["not valid yet", () => sign({ nbf: now() + 60 }), undefined],
    ["without an end", () => sign({ exp: undefined }), undefined],
    ["without a subject", () => sign({ sub: undefined }), undefined],
    ["of another issuer", () => sign({ iss: "https://example.com" }), undefined],
    ["for another audience", () => sign({ aud: ["api"] }), undefined],
    ["for no audience", () => sign({ aud: undefined }), undefined],
    ["signed with another key", () => sign({}, { pair: other }), undefined],
    ["with an unknown key id", () => sign({}, { pair: other, kid: "9" }), undefined],
    [
      "unsigned (alg: none)",
      () => new UnsecuredJWT({ iss: issuer, aud: audience, sub, exp: now() + 60 }).encode(),
      undefined,
    ],
    [
      "signed HS256 with the public key as password",
      async () => {
        const claims = { iss: issuer, aud: audience, sub, exp: now() + 60 };
        const secret = new TextEncoder().encode(await exportSPKI(good.publicKey));
        return new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "1" }).sign(secret);
      },
      undefined,
    ],
    ["signed with a key of the issuer's by an algorithm that is not on the list", () => sign({}, edwards), undefined],
    [
      "with a changed payload",
      async () => (await sign({})).replace(/\.(.)/, (_, letter) => `.${letter === "a" ? "b" : "a"}`),
      undefined,
    ],
    ["that is no JWT", () => "a.b.c", undefined],
    ["that is a static token", () => "abcdefghijklmnop", undefined],
  ];

  test.each(rows)("%s", async (_what, token, expected) => {
    const keys = [await toJwk(good, "1"), { ...(await exportJWK(edwards.pair.publicKey)), kid: edwards.kid }];
    const { discovery } = await discoveryOf(keys as JsonObject[]);
    expect(await createJwtVerifier(discovery, { audience })(await token())).toBe(expected);
  });
});

describe("the keys", () => {
  test("are read once for many tokens", async () => {
    const { discovery, asked } = await discoveryOf([await toJwk(good, "1")]);
    const verify = createJwtVerifier(discovery, { audience });
    const tokens = await Promise.all(Array.from({ length: 20 }, () => sign({})));
    expect(await Promise.all(tokens.map(verify))).toEqual(Array(20).fill(sub));
    expect(asked.keys).toBe(1);
  });

  test("are asked for once a second at most, however many made-up key ids come", async () => {
    const { discovery, asked } = await discoveryOf([await toJwk(good, "1")]);
    const verify = createJwtVerifier(discovery, { audience });
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => sign({}, { kid: `made-up ${index}` })));
    const startedAtMs = performance.now();
    expect(await Promise.all(tokens.map(verify))).toEqual(Array(50).fill(undefined));
    const seconds = (performance.now() - startedAtMs) / 1_000;
    expect(asked.keys).toBeLessThanOrEqual(1 + seconds + 0.01);
    expect(asked.keys, "the third, which began after all had come, tells").toBe(3);
  });

  test("that are new count for the first token that they signed, even right after a made-up key id", async () => {
    const keys = [await toJwk(good, "1")];
    const { discovery } = await discoveryOf(keys);
    const verify = createJwtVerifier(discovery, { audience });
    expect(await verify(await sign({}))).toBe(sub);
    expect(await verify(await sign({}, { kid: "made-up" }))).toBeUndefined();
    keys.push(await toJwk(other, "2"));
    expect(await verify(await sign({}, { pair: other, kid: "2" }))).toBe(sub);
  });

  test("that were revoked count no longer once the keys were read again, at the latest after 5 minutes", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const keys = [await toJwk(good, "1"), await toJwk(other, "2")];
    const { discovery } = await discoveryOf(keys);
    const verify = createJwtVerifier(discovery, { audience });
    expect(await verify(await sign({}))).toBe(sub);
    keys.shift();
    vi.advanceTimersByTime(299_000);
    expect(await verify(await sign({}))).toBe(sub);
    vi.advanceTimersByTime(2_000);
    expect(await verify(await sign({}))).toBeUndefined();
    expect(await verify(await sign({}, { pair: other, kid: "2" }))).toBe(sub);
  });

  test("that are known go on counting while they cannot be read again", async () => {
    const network = { fails: false };
    const verify = await verifierOver(network);
    expect(await verify(await sign({}))).toBe(sub);
    network.fails = true;
    await expect(verify(await sign({}, { kid: "made-up" }))).rejects.toThrow("unreachable");
    expect(await verify(await sign({}))).toBe(sub);
  });

  test("that are known do so for an hour: a key may have been revoked meanwhile", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const network = { fails: false };
    const verify = await verifierOver(network);
    expect(await verify(await sign({}))).toBe(sub);
    network.fails = true;
    vi.advanceTimersByTime(3_599_000);
    expect(await verify(await sign({}))).toBe(sub);
    vi.advanceTimersByTime(2_000);
    await expect(verify(await sign({}))).rejects.toThrow("unreachable");
    network.fails = false;
    expect(await verify(await sign({}))).toBe(sub);
  });

  test("that do not come in time are an error, however long the API server takes", async () => {
    const { discovery } = await discoveryOf([]);
    const never = new Promise<never>(() => {});
    const verify = createJwtVerifier({ ...discovery, getKeys: () => never }, { audience, timeoutMs: 50 });
    const token = await sign({});
    expect(await faultOf(() => verify(token))).toMatchObject({ code: "api-unavailable" });
  });

  test("that cannot be read are an error, not a refusal, and are asked for again", async () => {
    const network = { fails: true };
    const verify = await verifierOver(network);
    await expect(verify(await sign({}))).rejects.toThrow("unreachable");
    network.fails = false;
    expect(await verify(await sign({}))).toBe(sub);
  });
});
