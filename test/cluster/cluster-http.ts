import { promises as dns, type LookupAddress, type LookupOptions } from "node:dns";
import { type IncomingHttpHeaders, request } from "node:http";
import { DNS_SERVICE_ADDRESS } from "./kubernetes/settings.ts";

/** What came back. */
export interface ClusterResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Resolves names by the cluster's own DNS, for node:http's `lookup`; works only inside the network namespace. */
export function lookupInCluster(name: string, options: LookupOptions, callback: LookupCallback): void {
  const resolver = new dns.Resolver({ timeout: 2000, tries: 3 });
  resolver.setServers([DNS_SERVICE_ADDRESS]);
  resolver.resolve4(name).then(
    ([address = ""]) => (options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)),
    (error: Error) => callback(error, ""),
  );
}

/** Sends a request to a Service by its name in the cluster, as a pod would; works only inside the network namespace. */
export async function requestInCluster(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; timeoutMs?: number } = {},
): Promise<ClusterResponse> {
  const { method = "GET", headers = {}, body, timeoutMs = 30_000 } = options;
  const { promise, resolve, reject } = Promise.withResolvers<ClusterResponse>();
  const signal = AbortSignal.timeout(timeoutMs);
  const outgoing = request(url, { method, headers, lookup: lookupInCluster, signal }, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", reject);
    incoming.on("end", () => {
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString() });
    });
  });
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}
