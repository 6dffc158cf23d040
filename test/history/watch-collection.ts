import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { JsonObject } from "../../functions/core/json.ts";
import { readWatch } from "../../functions/kubernetes/read-watch.ts";
import type { KubeApi } from "../support/kube-api.ts";

/** Who hears of a collection: of all that is there at the beginning and after each gap, and of every change between. */
export type Watcher = {
  onList(items: JsonObject[], revision: number): void;
  onChange(change: "added" | "modified" | "deleted", object: JsonObject): void;
};

const pauseMs = 50;
const changes = { ADDED: "added", MODIFIED: "modified", DELETED: "deleted" } as const;

/** Follows a collection of the API server from its beginning, through restarts of the API server, until it is closed. */
export async function watchCollection(
  api: KubeApi,
  path: string,
  { onList, onChange }: Watcher,
): Promise<{ close(): Promise<void> }> {
  const ending = new AbortController();
  let revision = await list();
  const running = run();

  async function list(): Promise<string> {
    const { items, metadata } = await api.expect("GET", path);
    const { resourceVersion } = metadata as { resourceVersion: string };
    onList(items as JsonObject[], Number(resourceVersion));
    return resourceVersion;
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${revision}`;
        for await (const { type, object } of readWatch(await open(api, `${path}?${query}`, ending.signal))) {
          if (type === "ERROR") throw new Gone(String(object.message));
          revision = String((object.metadata as JsonObject).resourceVersion);
          const change = changes[type];
          if (change) onChange(change, object);
        }
      } catch (error) {
        if (error instanceof Gone) revision = await list().catch(() => revision);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  return {
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** The revision is too old to be watched from: what happened since must be listed. */
class Gone extends Error {}

async function open(api: KubeApi, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { server, options } = await api.connection();
  const send = server.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = send(new URL(path, server), { ...options, signal }, (answer) => {
      if (answer.statusCode === 200) return resolve(answer);
      answer.resume();
      reject(answer.statusCode === 410 ? new Gone() : new Error(`a watch was answered ${answer.statusCode}`));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
