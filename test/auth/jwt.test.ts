import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { createJwtVerifier, type IssuerDiscovery } from "../../functions/auth/jwt.ts";
import type { JsonObject } from "../../functions/core/json.ts";

const issuer = "https://kubernetes.default.svc";
const audience = "sync-trigger";
const sub = "system:serviceaccount:kraken:page";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let good: Pair;
let other: Pair;

beforeAll(async () => {
  [good, other] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
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
      return { keys };
    },
  };
  return { discovery, asked };
}

const now = () => Math.floor(Date.now() / 1_000);

function sign(
  claims: { [name in keyof JWTPayload]: JWTPayload[name] | undefined },
  { pair = good, kid = "1" } = {},
): Promise<string> {
  const all = { iss: issuer, aud: [audience], sub, iat: now(), nbf: now(), exp: now() + 600, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid }).sign(pair.privateKey);
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
    [
      "with a changed payload",
      async () => (await sign({})).replace(/\.(.)/, (_, letter) => `.${letter === "a" ? "b" : "a"}`),
      undefined,
    ],
    ["that is no JWT", () => "a.b.c", undefined],
    ["that is a static token", () => "abcdefghijklmnop", undefined],
  ];

  test.each(rows)("%s", async (_what, token, expected) => {
    const { discovery } = await discoveryOf([await toJwk(good, "1")]);
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

  test("are not asked for again and again by made-up key ids", async () => {
    const { discovery, asked } = await discoveryOf([await toJwk(good, "1")]);
    const verify = createJwtVerifier(discovery, { audience });
    for (const kid of ["x", "y", "z"]) expect(await verify(await sign({}, { kid }))).toBeUndefined();
    expect(asked.keys).toBe(1);
  });

  test("that cannot be read are an error, not a refusal, and are asked for again", async () => {
    const { discovery } = await discoveryOf([await toJwk(good, "1")]);
    let fails = true;
    const getKeys: IssuerDiscovery["getKeys"] = async (options) => {
      if (fails) throw new Error("unreachable");
      return discovery.getKeys(options);
    };
    const verify = createJwtVerifier({ ...discovery, getKeys }, { audience });
    await expect(verify(await sign({}))).rejects.toThrow("unreachable");
    fails = false;
    expect(await verify(await sign({}))).toBe(sub);
  });
});
