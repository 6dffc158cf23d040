import { requestBytes } from "./raw-socket.ts";

/** Somewhere in a request that a sender fills; gives the request's bytes for a text. */
export type Place = { name: string; request(text: string): Buffer };

const json = ["Content-Type", "application/json"] as const;
const cloudEventsJson = ["Content-Type", "application/cloudevents+json"] as const;
const requested = "internal.sync-trigger.requested.v1";
const attributes = { specversion: "1.0", id: "1", source: "/hostile", type: requested };

/** UTF-8 as header bytes, but for texts of Latin-1 alone, which go out as that: both are met in the wild. */
function toBytes(text: string): string {
  const characters = [...text];
  const isLatin1 = characters.some((character) => character >= "\u0080") && !characters.some((one) => one > "\u00ff");
  return isLatin1 ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** Request headers that mean something to somebody on the way. */
const plainHeaders = [
  ...["Accept", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie"],
  ...["Expect", "Forwarded", "Host", "Idempotency-Key", "Keep-Alive", "Prefer", "Range", "TE", "Traceparent"],
  ...[
    "Tracestate",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "X-Forwarded-For",
    "X-Http-Method-Override",
  ],
  ...["X-Original-Url", "X-Request-Id"],
];
const eventHeaders = [
  ...[
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-specversion",
    "ce-time",
    "ce-subject",
    "ce-dataschema",
    "ce-datacontenttype",
  ],
  ...["ce-comexampleextension", "ce-data", "Content-Type"],
];
const queries = ["limit", "follow", "tailLines", "sinceTime", "container", "pod"];
const envelopeFields = [
  ...["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "extension", "data"],
  "data_base64",
];
const requestFields = ["reason", "onOverlap", "ifOlderThan"];

function post(headers: readonly (readonly [string, string])[], body = ""): Buffer {
  return requestBytes("POST /trigger-sync", headers, body);
}

function get(target: string): Buffer {
  return requestBytes(`GET ${target}`);
}

/** JSON whose strings may be anything, lone surrogates as escapes. */
const toJson = (value: unknown) => JSON.stringify(value);

/** Percent-encoded, so that it arrives whole; what UTF-8 cannot say goes as it would in CESU-8. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(".", "%2e");
}

const inHeaders: Place[] = [
  ...plainHeaders.map((name) => ({
    name: `header ${name}`,
    // Behind it stands what should be there, so that a doubled header is among the cases.
    request: (text: string) => requestBytes("POST /", [[name, toBytes(text)]], "{}"),
  })),
  ...["Idempotency-Key", "Traceparent", "X-Request-Id"].map((name) => ({
    name: `header ${name} of a good trigger`,
    request: (text: string) => post([[name, toBytes(text)]]),
  })),
  ...eventHeaders.map((name) => ({
    name: `header ${name} of an event`,
    request: (text: string) => {
      const good = Object.entries(attributes).map(([key, value]) => [`ce-${key}`, value] as const);
      return post([...good.filter(([key]) => key !== name), [name, toBytes(text)]]);
    },
  })),
  { name: "a header's name", request: (text) => post([[toBytes(text), "x"]]) },
  { name: "a ce- header's name", request: (text) => post([[`ce-${toBytes(text)}`, "x"]]) },
];

const inTargets: Place[] = [
  { name: "method", request: (text) => requestBytes(`${toBytes(text)} /trigger-sync`) },
  { name: "path, as it is", request: (text) => get(`/${toBytes(text)}`) },
  { name: "target, as it is", request: (text) => get(toBytes(text)) },
  { name: "path of a Job, as it is", request: (text) => get(`/jobs/${toBytes(text)}`) },
  { name: "path, encoded", request: (text) => get(`/${encode(text)}`) },
  { name: "path of a Job, encoded", request: (text) => get(`/jobs/${encode(text)}`) },
  { name: "path of a log, encoded", request: (text) => get(`/jobs/${encode(text)}/logs`) },
  { name: "query", request: (text) => get(`/jobs/done?${toBytes(text)}`) },
  { name: "name of a query parameter", request: (text) => get(`/jobs/done/logs?${encode(text)}=1`) },
  ...queries.map((name) => ({
    name: `query parameter ${name}`,
    request: (text: string) => get(`${name === "limit" ? "/jobs" : "/jobs/done/logs"}?${name}=${encode(text)}`),
  })),
];

const inBodies: Place[] = [
  { name: "body", request: (text) => post([json], text) },
  { name: "body of a structured event", request: (text) => post([cloudEventsJson], text) },
  { name: "name of a field", request: (text) => post([json], toJson({ [text]: 1 })) },
  { name: "name of an attribute", request: (text) => post([cloudEventsJson], toJson({ ...attributes, [text]: "x" })) },
  ...requestFields.flatMap((name) => [
    { name: `field ${name}`, request: (text: string) => post([json], toJson({ [name]: text })) },
    {
      name: `field ${name} of an event's data`,
      request: (text: string) => post([cloudEventsJson], toJson({ ...attributes, data: { [name]: text } })),
    },
  ]),
  ...envelopeFields.map((name) => ({
    name: `attribute ${name}`,
    request: (text: string) => post([cloudEventsJson], toJson({ ...attributes, [name]: text })),
  })),
];

/** Every place there is. */
export const places: Place[] = [...inHeaders, ...inTargets, ...inBodies];
