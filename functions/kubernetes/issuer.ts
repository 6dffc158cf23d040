import { isJsonObject, type JsonObject, parseJson } from "../core/json.ts";
import { Fault } from "../errors.ts";
import type { Transport } from "./transport.ts";

/**
 * The API server's OpenID documents (Kubernetes: ServiceAccount issuer discovery). Every ServiceAccount may read them, so
 * no Role of ours names them. Each throws 503.
 */
export function createIssuerDiscovery(transport: Transport, { timeoutMs }: { timeoutMs: number }) {
  async function read(path: string, signal: AbortSignal): Promise<JsonObject> {
    const unreadable = (cause?: unknown) =>
      new Fault("api-unavailable", `${path} of the API server cannot be read, so no token can be checked`, {
        cause,
        headers: { "Retry-After": "5" },
      });
    const answer = await transport.send({ method: "GET", path, timeoutMs, signal }).catch((error) => {
      throw unreadable(error);
    });
    if (answer.status !== 200) throw unreadable(`HTTP ${answer.status}`);
    // The key set has a media type of its own, application/jwk-set+json.
    const value = parseOrUndefined(answer.body);
    if (!isJsonObject(value)) throw unreadable("no JSON object");
    return value;
  }
  return {
    getIssuer: ({ signal }: { signal: AbortSignal }) => read("/.well-known/openid-configuration", signal),
    getKeys: ({ signal }: { signal: AbortSignal }) => read("/openid/v1/jwks", signal),
  };
}

function parseOrUndefined(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
