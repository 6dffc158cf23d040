import { setTimeout as pause } from "node:timers/promises";
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import type { Verify } from "../auth.ts";
import type { JsonObject } from "../core/json.ts";
import { Fault } from "../errors.ts";
import { untilAborted } from "../until-aborted.ts";

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
/** While the keys cannot be read, those that were known count on for this long: an outage must not lock callers out. */
const keysUsableForMs = 3_600_000;
/** Keys are asked for at most this often: anybody can send an unknown key id. Who comes earlier waits. */
const keysAskedEveryMs = 1_000;
const discoveryTimeoutMs = 5_000;
/** However often one credential makes us ask: a trigger ends within 15 s, and this is a part of it. */
const verifyTimeoutMs = 6_000;
const clockToleranceS = 5;

type Issuer = { name: string; keys: JSONWebKeySet; readAtMs: number };

/**
 * Verifies JWTs of the cluster's own issuer: ServiceAccount tokens projected for our audience, and the identities that
 * Knative gives Triggers and PingSources. Checks signature, issuer, audience and times; the subject is `sub`.
 */
export function createJwtVerifier(
  discovery: IssuerDiscovery,
  { audience, timeoutMs = verifyTimeoutMs }: { audience: string; timeoutMs?: number },
): Verify {
  let known: Issuer | undefined;
  let reading: Promise<Issuer> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;

  async function read(): Promise<Issuer> {
    const waitMs = askedAtMs + keysAskedEveryMs - performance.now();
    if (waitMs > 0) await pause(waitMs);
    askedAtMs = performance.now();
    known = await readIssuer(discovery);
    return known;
  }

  /** Many may ask at the same time; one reads. What was known before stays known when that fails. */
  function ask(): Promise<Issuer> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function verify(credential: string, { name, keys }: Issuer) {
    try {
      const times = { clockTolerance: clockToleranceS, requiredClaims: ["exp", "sub"] };
      const options = { issuer: name, audience, algorithms, ...times };
      return (await jwtVerify(credential, createLocalJWKSet(keys), options)).payload;
    } catch (error) {
      return error instanceof errors.JWKSNoMatchingKey ? "unknown key" : undefined;
    }
  }

  return async (credential) => {
    if (credential.split(".").length !== 3) return undefined; // a static token, not ours
    const late = AbortSignal.timeout(timeoutMs);
    const askInTime = () => untilAborted(ask(), late).catch(reportLate(late));
    let issuer = known ?? (await askInTime());
    const ageMs = performance.now() - issuer.readAtMs;
    if (ageMs > keysFreshForMs) {
      issuer = await askInTime().catch((error) => {
        if (ageMs > keysUsableForMs) throw error;
        return issuer;
      });
    }
    let payload = await verify(credential, issuer);
    // Keys were rotated? What others asked for may have been read before; the second time it was not.
    for (let attempt = 1; payload === "unknown key" && attempt <= 2; attempt += 1) {
      issuer = await askInTime();
      payload = await verify(credential, issuer);
    }
    return typeof payload === "object" ? payload.sub : undefined;
  };
}

function reportLate(late: AbortSignal): (error: unknown) => never {
  return (error) => {
    if (error !== late.reason) throw error;
    throw new Fault("api-unavailable", "the API server did not give the token issuer's keys in time", { cause: error });
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
