import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { KubeApi } from "../support/kube-api.ts";
import type { Answer, Send } from "./calls.ts";

const timeoutMs = 30_000;

/** Sends with the credentials and over the connections of a KubeApi, and leaves every header to the script. */
export function sender(api: KubeApi): Send {
  return async (method, path, headers, body) => {
    const { server, options } = await api.connection();
    const send = server.protocol === "https:" ? requestHttps : requestHttp;
    const given = Object.entries(headers).filter(([, value]) => value !== undefined) as [string, string][];
    return new Promise<Answer>((resolve, reject) => {
      const outgoing = send(
        new URL(path, server),
        {
          ...options,
          // As it is written: URL would decode parts of it.
          path,
          method,
          signal: AbortSignal.timeout(timeoutMs),
          // Node frames no body of a DELETE by itself.
          headers: { ...options.headers, ...Object.fromEntries(given), ...lengthOf(body) },
        },
        async (answer) => {
          const chunks: Buffer[] = [];
          for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString("utf8"),
          });
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  };
}

const lengthOf = (body: string | undefined) =>
  body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
