import { createServer, type IncomingMessage, type Server } from "node:http";
import { type Api, handleObjects } from "./handle.ts";
import { type PodLogs, readPodLog } from "./pod-log.ts";
import { type Reply, sendReply } from "./reply.ts";
import { requestInfo } from "./request-info.ts";
import { serverPaths } from "./server-paths.ts";
import { ApiError } from "./status.ts";

/** What the server is made of. */
export interface ApiServer extends Api {
  logs: PodLogs;
  /** Told of each request that was answered 501. */
  onUnmodelled(method: string, path: string): void;
  /** Told of each request. */
  onRequest(method: string, path: string): void;
}

async function handle(api: ApiServer, request: IncomingMessage): Promise<Reply> {
  const { method = "", url = "/" } = request;
  const [path = "/", search = ""] = url.split(/\?(.*)/s);
  const plain = serverPaths(method, path);
  if (plain) return plain;
  const info = requestInfo(path);
  if (!info) return { status: 404, text: "404 page not found\n" };
  const query = new URLSearchParams(search);
  if (info.subresource === "log") return readPodLog(api, info, request, query);
  return handleObjects(api, info, request, query);
}

function toReply(api: ApiServer, request: IncomingMessage, error: unknown): Reply {
  const { method = "", url = "" } = request;
  if (!(error instanceof ApiError)) {
    // A fault of our own must be seen, in the test that met it and on the console.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`embedded cluster: ${method} ${url}: ${text}\n`);
    return { status: 500, json: new ApiError(500, "InternalError", `the embedded cluster failed: ${text}`).status };
  }
  if (error.status.code !== 501) return { status: error.status.code, json: error.status };
  api.onUnmodelled(method, url);
  return { status: 501, json: { ...error.status, message: `${error.status.message} (${method} ${url})` } };
}

/** An HTTP server that speaks the Kubernetes API for the given store; not listening yet. */
export function createApiServer(api: ApiServer): Server {
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    api.onRequest(request.method ?? "", request.url ?? "");
    const reply = await handle(api, request).catch((error: unknown) => toReply(api, request, error));
    if (!response.writable) return;
    sendReply(response, reply);
  });
  return server;
}
