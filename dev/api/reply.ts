import type { ServerResponse } from "node:http";

/** What a handler answers with; only `sendReply` touches the response. */
export type Reply =
  | { status: number; json: unknown; warnings?: readonly string[] }
  | { status: number; text: string }
  | { status: 204 }
  | { stream: (response: ServerResponse) => void };

const common = { "cache-control": "no-cache, private" };

const warningHeader = (text: string) => `299 - ${JSON.stringify(text)}`;

/** Sends a reply; a stream writes and ends the response itself. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  if ("stream" in reply) {
    reply.stream(response);
    return;
  }
  for (const [name, value] of Object.entries(common)) response.setHeader(name, value);
  if ("json" in reply) {
    if (reply.warnings?.length) response.setHeader("warning", reply.warnings.map(warningHeader));
    send(response, reply.status, "application/json", `${JSON.stringify(reply.json)}\n`);
  } else if ("text" in reply) {
    response.setHeader("x-content-type-options", "nosniff");
    send(response, reply.status, "text/plain; charset=utf-8", reply.text);
  } else {
    response.writeHead(reply.status).end();
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, { "content-type": type, "content-length": body.length });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
