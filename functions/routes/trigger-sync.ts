import { randomUUID } from "node:crypto";
import { decodeEvent, isEventRequest, type ReceivedEvent } from "../core/cloudevent.ts";
import { singleHeader } from "../core/headers.ts";
import { decodeUtf8, type Json, parseForeignJson } from "../core/json.ts";
import { keyOfEvent, keyOfHttpRequest, pingEventType } from "../core/key.ts";
import { isJsonMediaType, isUtf8MediaType, parseMediaType } from "../core/media-type.ts";
import type { Outcome } from "../core/outcome.ts";
import { parseSyncRequest, type SyncRequest } from "../core/request.ts";
import { Fault } from "../errors.ts";
import type { Reply, Route, RouteRequest } from "../route.ts";
import { type TriggerContext, type TriggerInput, trigger } from "../trigger.ts";
import { toReplyEvent } from "./reply-event.ts";

/** Types of events about this function; of them only "requested" asks for a run. */
const ownEventTypes = "internal.sync-trigger.";
const requestedEventType = "internal.sync-trigger.requested.v1";

/** `POST /trigger-sync` for everybody, `POST /` for event senders that know only a host. */
export function triggerRoutes(context: TriggerContext): Route[] {
  const onEvent = (request: RouteRequest) => triggerByEvent(request, context);
  return [
    {
      path: "/trigger-sync",
      methods: {
        POST: (request) => (isEventRequest(request.rawHeaders) ? onEvent(request) : triggerByHttp(request, context)),
      },
    },
    {
      path: "/",
      methods: {
        POST: (request) => {
          if (isEventRequest(request.rawHeaders)) return onEvent(request);
          throw new Fault("not-an-event", "POST / takes a CloudEvent; plain HTTP goes to POST /trigger-sync");
        },
      },
    },
  ];
}

async function triggerByHttp(request: RouteRequest, context: TriggerContext): Promise<Reply> {
  const { rawHeaders } = request;
  const body = await request.readBody();
  const input: TriggerInput = {
    key: keyOfHttpRequest(singleHeader(rawHeaders, "idempotency-key"), randomUUID()),
    request: body.length === 0 ? {} : parseSyncRequest(parseBody(body, singleHeader(rawHeaders, "content-type"))),
    via: "http",
    traceparent: request.traceparent,
    requestedBy: request.caller,
    spentMs: request.authenticationMs,
  };
  return toReply(await trigger(input, context, request.note));
}

/** An outcome for a caller of plain HTTP. */
function toReply(result: Outcome): Reply {
  const { outcome, job } = result;
  const reason = "reason" in result ? result.reason : undefined;
  if (outcome === "refused") throw new Fault("refused", reason ?? "", { members: { outcome, job } });
  const self = `/jobs/${job?.name}`;
  const headers = {
    ...(job ? { Location: self } : {}),
    ...(outcome === "duplicate" ? { "Idempotency-Replayed": "true" } : {}),
  };
  const links = job ? { job: self, logs: `${self}/logs` } : {};
  return { status: 200, headers, json: { outcome, ...(reason === undefined ? {} : { reason }), job, links } };
}

/** Success has no body: to a Broker, JSON would be a failed delivery that it repeats (Knative's filter handler). */
async function triggerByEvent(request: RouteRequest, context: TriggerContext): Promise<Reply> {
  const event = decodeEvent({ rawHeaders: request.rawHeaders, body: await request.readBody() });
  const { id, source, type } = event;
  request.note({ event: { id, source, type } });
  if (type.startsWith(ownEventTypes) && type !== requestedEventType) {
    request.note({ outcome: "ignored" });
    return { status: 202 };
  }
  const input: TriggerInput = {
    key: keyOfEvent(event),
    request: requestOfEvent(event),
    via: type === pingEventType ? "ping" : "event",
    traceparent: request.traceparent,
    requestedBy: request.caller,
    spentMs: request.authenticationMs,
    event: { id, source, type },
  };
  const outcome = await trigger(input, context, request.note);
  return context.config.replyEvents === "on"
    ? toReplyEvent(outcome, event, { namespace: context.namespace, cronJobName: context.config.cronJobName })
    : { status: 202 };
}

/** The data of our own type and of pings is the request; of any other type the event itself is, its data is not read. */
function requestOfEvent({ type, data, datacontenttype }: ReceivedEvent): SyncRequest {
  if (type !== requestedEventType && type !== pingEventType) return {};
  if (data === undefined || data === null) return {};
  if (data instanceof Uint8Array) {
    const given = parseMediaType(datacontenttype ?? "")?.type ?? "missing";
    throw new Fault("unsupported-media-type", `datacontenttype ${given}: the data must be JSON`);
  }
  try {
    return parseSyncRequest(data);
  } catch (error) {
    if (type !== pingEventType || !(error instanceof Fault)) throw error;
    throw new Fault(error.code, `${error.message} (a PingSource's data is our request schema)`, { cause: error });
  }
}

function parseBody(body: Buffer, contentType: string | undefined): Json {
  const mediaType = parseMediaType(contentType ?? "");
  if (!mediaType || !isJsonMediaType(mediaType) || !isUtf8MediaType(mediaType)) {
    const given =
      contentType === undefined ? "no content-type" : `content-type ${mediaType?.type.slice(0, 100) ?? "malformed"}`;
    throw new Fault("unsupported-media-type", `${given}: send the body as application/json in UTF-8, or no body`);
  }
  try {
    return parseForeignJson(decodeUtf8(body));
  } catch (cause) {
    throw new Fault("malformed-request", "the body is no JSON in UTF-8", { cause });
  }
}
