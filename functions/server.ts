import { createServer, type RequestListener, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A listening server that can end without losing a request. */
export type RunningServer = {
  port: number;
  /** Stops listening and waits until every request is answered, at most `timeoutMs`; tells whether all were. */
  drain(timeoutMs: number): Promise<boolean>;
};

/** Listens on a port (0: any free one). Rejects when it is taken. */
export async function startServer(app: RequestListener, port: number): Promise<RunningServer> {
  const server = createServer(
    {
      // queue-proxy keeps idle connections for 90 s; were ours closed first, its next POST would meet a reset (502).
      keepAliveTimeout: 95_000,
      headersTimeout: 15_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    app,
  );
  server.on("clientError", refuseConnection);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve());
  });
  return { port: (server.address() as AddressInfo).port, drain: (timeoutMs) => drain(server, timeoutMs) };
}

/** Answers what Node's parser refuses. A slow sender gets no status: Node's own 408 would lose a PingSource's event. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET" || error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
    socket.destroy();
    return;
  }
  const [code, status] =
    error.code === "HPE_HEADER_OVERFLOW" ? ["headers-too-large", 431] : (["malformed-request", 400] as const);
  const body = JSON.stringify({ type: `urn:sync-trigger:${code}`, title: STATUS_CODES[status], status });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

function drain(server: Server, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
      resolve(false);
    }, timeoutMs);
    // A connection that becomes idle only now would be kept for the next request, which will not come.
    const sweep = setInterval(() => server.closeIdleConnections(), 100);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve(true);
    });
    server.closeIdleConnections();
  });
}
