import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * An API server that answers at once and keeps nothing, so that ten thousands of requests show what the function does
 * and not what an API server does.
 */
export type StubApi = {
  url: string;
  /** Every request so far: method, a space, path without its query. */
  requests: string[];
  /** The Jobs that were posted, as bytes. */
  jobs: string[];
  /** The Events that were posted, likewise. */
  events: string[];
  /** Requests that begin with this text get no answer until it is unset. */
  hold(start: string | undefined): void;
  /** Every create is answered with what is made of its body, until it is unset. */
  refuse(make: Refusal | undefined): void;
  close(): Promise<void>;
};

type Refusal = (body: string) => { status: number; body: object };

const logLine = `2026-11-23T21:00:00.000000001Z ${"x".repeat(200)}\n`;
const uid = "0d7a3f5e-0000-4000-8000-000000000001";
const times = { creationTimestamp: "2026-11-23T21:00:00Z", resourceVersion: "1" };
/** A literal value in the template, as people write them: it passes through the function, and must not be shown. */
export const templateSecret = "s3cr3t-of-the-template";
const env = [{ name: "PASSWORD", value: templateSecret }];
const podSpec = { restartPolicy: "Never", containers: [{ name: "sync", image: "none:1", env }] };
const owner = { apiVersion: "batch/v1", kind: "CronJob", name: "sync", uid, controller: true };

const cronJob = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "sync", namespace: "n", uid, ...times },
  spec: { schedule: "@daily", jobTemplate: { spec: { template: { spec: podSpec } } } },
};
const runningJob = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "running", namespace: "n", uid, ownerReferences: [owner], ...times },
  spec: { template: { spec: podSpec } },
  status: { active: 1, ready: 1 },
};
const doneJob = {
  ...runningJob,
  metadata: { ...runningJob.metadata, name: "done", uid: `${uid}d` },
  status: { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] },
};
const podOf = (job: typeof runningJob | typeof doneJob, phase: string, state: object) => ({
  metadata: { ...job.metadata, name: `${job.metadata.name}-x`, ownerReferences: [{ ...owner, uid: job.metadata.uid }] },
  spec: podSpec,
  status: { phase, containerStatuses: [{ name: "sync", state }] },
});
const pods = [
  podOf(runningJob, "Running", { running: {} }),
  podOf(doneJob, "Succeeded", { terminated: { exitCode: 0 } }),
];

/** Starts one. The Job `done` has a log of one line; `running` never ends, and its log pours as fast as it is taken. */
export async function startStubApi(): Promise<StubApi> {
  const requests: string[] = [];
  const jobs: string[] = [];
  const events: string[] = [];
  const held: (() => void)[] = [];
  let holdStart: string | undefined;
  let refusal: Refusal | undefined;
  const server = createServer(async (request, response) => {
    const { method = "", url = "" } = request;
    const { pathname, searchParams } = new URL(url, "http://stub");
    const line = `${method} ${url.split("?")[0]}`;
    requests.push(line);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    if (holdStart !== undefined && line.startsWith(holdStart)) await new Promise<void>((go) => held.push(go));
    if (method === "POST") {
      const body = Buffer.concat(chunks).toString();
      if (pathname.endsWith("/events")) {
        events.push(body);
        return answer(response, JSON.parse(body));
      }
      const refused = refusal?.(body);
      if (refused) return answer(response, refused.body, refused.status);
      jobs.push(body);
      const { metadata, ...job } = JSON.parse(body);
      return answer(response, { ...job, metadata: { ...metadata, uid, ...times } });
    }
    if (pathname === "/.well-known/openid-configuration") return answer(response, { issuer: "https://issuer" });
    if (pathname === "/openid/v1/jwks") return answer(response, { keys: [] });
    if (pathname.endsWith("/cronjobs/sync")) return answer(response, cronJob);
    if (pathname.endsWith("/jobs/running")) return answer(response, runningJob);
    if (pathname.endsWith("/jobs/done")) return answer(response, doneJob);
    if (searchParams.has("watch")) return openWatch(response);
    if (pathname.endsWith("/jobs")) return answer(response, { metadata: {}, items: [runningJob, doneJob] });
    if (pathname.endsWith("/pods")) return answer(response, { metadata: {}, items: pods });
    if (pathname.endsWith("/pods/running-x/log")) return pourLog(response);
    if (pathname.endsWith("/pods/done-x/log")) return response.end(logLine);
    answer(response, { kind: "Status", status: "Failure", reason: "NotFound", message: "not found" }, 404);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    jobs,
    events,
    hold(start) {
      holdStart = start;
      if (start === undefined) for (const go of held.splice(0)) go();
    },
    refuse(make) {
      refusal = make;
    },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function openWatch(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
}

function pourLog(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/plain" });
  const lines = logLine.repeat(64);
  const pour = () => {
    while (!response.destroyed && response.write(lines));
  };
  response.on("drain", pour);
  pour();
}
