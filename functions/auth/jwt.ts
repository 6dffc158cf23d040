import type { JSONWebKeySet, JWTPayload } from "jose";
import type { Verify } from "../auth.ts";
import type { JsonObject } from "../core/json.ts";
import { Fault } from "../errors.ts";

/** Reads the API server's OpenID documents; open to every ServiceAccount, so no right of ours is needed. */
export type IssuerDiscovery = {
  /** `/.well-known/openid-configuration`. */
  getIssuer(options: { signal: AbortSignal }): Promise<JsonObject>;
  /** `/openid/v1/jwks`. */
  getKeys(options: { signal: AbortSignal }): Promise<JsonObject>;
};

/** Asymmetric ones alone: with HS256 a public key would be a password. */
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
/** How old the keys may be; a key that is removed stops counting this soon. */
const keysFreshForMs = 300_000;
/** An unknown key id is looked up at once, but not more often than this: anybody can send one. */
const keysAskedEveryMs = 10_000;
const discoveryTimeoutMs = 5_000;
const clockToleranceS = 5;

type Jose = typeof import("jose");
type Issuer = { name: string; keys: JSONWebKeySet; readAtMs: number };

/**
 * Verifies JWTs of the cluster's own issuer: ServiceAccount tokens projected for our audience, and the identities that
 * Knative gives Triggers and PingSources. Checks signature, issuer, audience and times; the subject is `sub`.
 */
export function createJwtVerifier(discovery: IssuerDiscovery, { audience }: { audience: string }): Verify {
  let issuer: Promise<Issuer> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;

  function ask(): Promise<Issuer> {
    askedAtMs = performance.now();
    const asked = readIssuer(discovery);
    asked.catch(() => {
      if (issuer === asked) issuer = undefined;
    });
    issuer = asked;
    return asked;
  }

  async function verify(jose: Jose, credential: string): Promise<JWTPayload | "unknown key" | undefined> {
    const known = await (issuer ?? ask());
    const { name, keys } = performance.now() - known.readAtMs > keysFreshForMs ? await ask().catch(() => known) : known;
    try {
      const options = {
        issuer: name,
        audience,
        algorithms,
        clockTolerance: clockToleranceS,
        requiredClaims: ["exp", "sub"],
      };
      return (await jose.jwtVerify(credential, jose.createLocalJWKSet(keys), options)).payload;
    } catch (error) {
      return error instanceof jose.errors.JWKSNoMatchingKey ? "unknown key" : undefined;
    }
  }

  return async (credential) => {
    if (credential.split(".").length !== 3) return undefined; // a static token, not ours
    const jose = await import("jose");
    let payload = await verify(jose, credential);
    if (payload === "unknown key" && performance.now() - askedAtMs > keysAskedEveryMs) {
      await ask(); // keys were rotated
      payload = await verify(jose, credential);
    }
    return typeof payload === "object" ? payload.sub : undefined;
  };
}

async function readIssuer(discovery: IssuerDiscovery): Promise<Issuer> {
  const signal = AbortSignal.timeout(discoveryTimeoutMs);
  const [configuration, keys] = await Promise.all([discovery.getIssuer({ signal }), discovery.getKeys({ signal })]);
  if (typeof configuration.issuer !== "string" || !Array.isArray(keys.keys)) {
    throw new Fault("api-unavailable", "the API server's OpenID documents name no issuer or no keys");
  }
  return { name: configuration.issuer, keys: keys as unknown as JSONWebKeySet, readAtMs: performance.now() };
}
