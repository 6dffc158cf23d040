import { type IncomingMessage, request as requestHttp } from "node:http";
import { Agent, type RequestOptions, request as requestHttps } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import type { JsonObject } from "../../functions/core/json.ts";

/** An answer of the API server, its body parsed where it is JSON. */
export type KubeAnswer = { status: number; headers: IncomingMessage["headers"]; body: JsonObject; text: string };

/** Calls to an API server with the credentials of a kubeconfig: the tests' own hands, apart from functions/. */
export type KubeApi = {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<KubeAnswer>;
  /** Like `call`; rejects for any answer but 2xx. */
  expect(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<JsonObject>;
  /** Where it is and what a proxy in front of it needs to speak for the kubeconfig's user. */
  connection(): Promise<{ server: URL; options: RequestOptions }>;
};

const timeoutMs = 30_000;

/** A KubeApi for the kubeconfig of that path, in its current context or another one. */
export function connectKubeApi(kubeconfigPath: string, context?: string): KubeApi {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  if (context) config.setCurrentContext(context);
  const server = new URL(config.getCurrentCluster()?.server ?? "");
  let options: Promise<RequestOptions> | undefined;

  async function readOptions(): Promise<RequestOptions> {
    const read: RequestOptions = {};
    await config.applyToHTTPSOptions(read);
    const { headers, auth, ca, cert, key, rejectUnauthorized, servername } = read;
    if (server.protocol === "http:") return { headers, auth };
    const agent = new Agent({ keepAlive: true, ca, cert, key, rejectUnauthorized, servername });
    return { headers, auth, agent };
  }

  async function connection() {
    options ??= readOptions();
    return { server, options: await options };
  }

  async function call(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    const { options: base } = await connection();
    const content = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const send = server.protocol === "https:" ? requestHttps : requestHttp;
    return new Promise<KubeAnswer>((resolve, reject) => {
      const outgoing = send(
        new URL(path, server),
        {
          ...base,
          method,
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            ...base.headers,
            "content-type": "application/json",
            // Node frames the body of a DELETE only if it is told how long it is.
            "content-length": String(Buffer.byteLength(content ?? "")),
            ...headers,
          },
        },
        async (answer) => {
          const chunks: Buffer[] = [];
          for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: toObject(text), text });
        },
      );
      outgoing.once("error", (cause) => reject(new Error(`${method} ${path}: ${cause.message}`, { cause })));
      outgoing.end(content);
    });
  }

  return {
    call,
    connection,
    async expect(method, path, body, headers) {
      const answer = await call(method, path, body, headers);
      if (answer.status < 300) return answer.body;
      throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    },
  };
}

function toObject(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}
