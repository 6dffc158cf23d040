import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/** An API server with one finished Job, `big`, whose log is as long as wanted and comes as fast as it is read. */
export type LogStub = {
  /** For a proxy or target in front of it. */
  url: string;
  /** Bytes of the log sent so far, over all requests. */
  sentBytes(): number;
  /** Log requests whose answer is not over. */
  open(): number;
  close(): Promise<void>;
};

const line = `2026-11-23T21:00:00.123456789Z ${"x".repeat(99)}\n`;
const block = Buffer.from(line.repeat(500));

/** Bytes of a line as a reader gets it. */
export const stubLineBytes = 100;

/** Starts the stub; `lines` is the length of its log, rounded up to 500, which is also the length of any tail. */
export async function startLogStub({ lines, cronJobName }: { lines: number; cronJobName: string }): Promise<LogStub> {
  let sent = 0;
  let openLogs = 0;

  async function sendLog(response: ServerResponse, lines: number): Promise<void> {
    openLogs += 1;
    response.once("close", () => {
      openLogs -= 1;
    });
    response.writeHead(200, { "content-type": "text/plain" });
    function* blocks() {
      for (let left = lines; left > 0; left -= 500) {
        sent += block.length;
        yield block;
      }
    }
    await pipeline(blocks, response).catch(() => undefined); // a reader may leave
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { url = "" } = request;
    if (url.includes("/log?")) return void sendLog(response, url.includes("tailLines") ? 500 : lines);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(url.includes("/pods?") ? { items: [pod] } : toJob(cronJobName)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sentBytes: () => sent,
    open: () => openLogs,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const metadata = { namespace: "stub", creationTimestamp: "2026-11-23T21:00:00Z", resourceVersion: "1" };

const pod = {
  metadata: { ...metadata, name: "big-1", uid: "p-1", ownerReferences: [{ uid: "j-1", controller: true }] },
  spec: { restartPolicy: "Never", containers: [{ name: "sync" }] },
  status: {
    phase: "Succeeded",
    containerStatuses: [{ name: "sync", state: { terminated: { exitCode: 0, reason: "Completed" } } }],
  },
};

function toJob(cronJobName: string): object {
  return {
    metadata: {
      ...metadata,
      name: "big",
      uid: "j-1",
      ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: cronJobName, uid: "c-1", controller: true }],
    },
    spec: { selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "j-1" } }, template: pod },
    status: {
      startTime: "2026-11-23T21:00:00Z",
      completionTime: "2026-11-23T21:00:01Z",
      conditions: [{ type: "Complete", status: "True" }],
    },
  };
}
