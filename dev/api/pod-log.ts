import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseTime } from "./go-time.ts";
import { type FieldError, forbidden, invalid, invalidValue } from "./invalid.ts";
import type { Pod } from "./objects.ts";
import { booleanOf, integerOf, refuseUnknownParameters } from "./query.ts";
import type { Reply } from "./reply.ts";
import type { RequestInfo } from "./request-info.ts";
import { PODS } from "./resources.ts";
import { badRequest, methodNotAllowed, notFound } from "./status.ts";
import type { Store } from "./store.ts";

/** Which part of a container's log is wanted. */
export interface LogOptions {
  follow: boolean;
  timestamps: boolean;
  tailLines?: number;
  sinceMs?: number;
  limitBytes?: number;
}

/** The logs that the node keeps. */
export interface PodLogs {
  read(pod: Pod, options: LogOptions): Readable;
}

const known = [
  "container",
  "follow",
  "insecureSkipTLSVerifyBackend",
  "limitBytes",
  "pretty",
  "previous",
  "sinceSeconds",
  "sinceTime",
  "tailLines",
  "timestamps",
];

/** Answers GET pods/NAME/log. */
export function readPodLog(
  { store, logs }: { store: Store; logs: PodLogs },
  { namespace, name = "" }: RequestInfo,
  request: IncomingMessage,
  query: URLSearchParams,
): Reply {
  if (request.method !== "GET") throw methodNotAllowed();
  refuseUnknownParameters(query, known);
  const options = logOptions(name, query);
  const pod = store.get(PODS, namespace, name);
  if (!pod) throw notFound(PODS, name);
  const container = containerName(pod, query.get("container") ?? "");
  // A pod without a node has no log yet, and the answer is just as empty.
  if (!pod.spec.nodeName) return { status: 204 };
  refuseUnstarted(pod, container, booleanOf(query, "previous"));
  return {
    stream: async (response) => {
      response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
      response.flushHeaders();
      // A reader that goes away is no error of ours.
      await pipeline(logs.read(pod, options), response).catch(() => response.destroy());
    },
  };
}

function logOptions(name: string, query: URLSearchParams): LogOptions {
  const tailLines = integerOf(query, "tailLines");
  const sinceSeconds = integerOf(query, "sinceSeconds");
  const limitBytes = integerOf(query, "limitBytes");
  const sinceTime = sinceTimeOf(query.get("sinceTime"));
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalidValue("tailLines", tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalidValue("limitBytes", limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    errors.push(forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalidValue("sinceSeconds", sinceSeconds, "must be greater than 0"));
  }
  if (errors.length > 0) throw invalid({ kind: "PodLogOptions", group: "" }, name, errors);
  const sinceMs = sinceSeconds === undefined ? sinceTime : Date.now() - sinceSeconds * 1000;
  return {
    follow: booleanOf(query, "follow"),
    timestamps: booleanOf(query, "timestamps"),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

function sinceTimeOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  try {
    // The API server hands whole seconds on to the kubelet.
    return Math.floor(parseTime(text) / 1000) * 1000;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function containerName(pod: Pod, asked: string): string {
  const names = pod.spec.containers.map(({ name }) => name);
  const [only = ""] = names;
  if (asked === "") return only;
  if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  return asked;
}

/** Refuses the log of a container that never ran, in the kubelet's words. */
function refuseUnstarted(pod: Pod, container: string, previous: boolean): void {
  const inPod = `container "${container}" in pod "${pod.metadata.name}"`;
  if (previous) throw badRequest(`previous terminated ${inPod} not found`);
  const waiting = pod.status.containerStatuses?.find(({ name }) => name === container)?.state.waiting;
  if (!waiting) return;
  const reasons: Readonly<Record<string, string>> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: "trying and failing to pull image",
  };
  throw badRequest(`${inPod} is waiting to start: ${reasons[waiting.reason] ?? waiting.reason}`);
}
