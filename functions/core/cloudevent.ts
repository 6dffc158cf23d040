import type { CloudEventV1 } from "cloudevents";
import { Fault } from "../errors.ts";
import { checkAttributes } from "./cloudevent-attributes.ts";
import { headersWithPrefix, type RawHeaders, singleHeader } from "./headers.ts";
import { decodeUtf8, isJsonObject, type Json, parseForeignJson } from "./json.ts";
import { isJsonMediaType, isUtf8MediaType, type MediaType, parseMediaType } from "./media-type.ts";

/** An event whose attributes hold to CloudEvents 1.0; `data` is JSON where its type says so, else bytes, or absent. */
export type ReceivedEvent = CloudEventV1<Json | Uint8Array>;

type Message = { rawHeaders: RawHeaders; body: Buffer };

const structuredType = "application/cloudevents+json";

/** Whether a request is meant as a CloudEvent (HTTP binding 1.0.2, section 3): by its media type or a `ce-` header. */
export function isEventRequest(rawHeaders: RawHeaders): boolean {
  return (
    headersWithPrefix(rawHeaders, "ce-").length > 0 ||
    headersWithPrefix(rawHeaders, "content-type").some(([, value]) => /^\s*application\/cloudevents/i.test(value))
  );
}

/**
 * Decodes an event in binary or structured mode (HTTP binding 1.0.2, sections 3.1 and 3.2).
 * Throws 400 when it is malformed, 415 for a batch or a format other than JSON. Nothing is made up: the SDK would
 * invent an id, a time and a version, and a redelivery would then look like a new event.
 */
export function decodeEvent(message: Message): ReceivedEvent {
  const contentType = singleHeader(message.rawHeaders, "content-type");
  const mediaType = contentType === undefined ? undefined : parseMediaType(contentType);
  if (contentType !== undefined && !mediaType) throw malformed("header content-type is no media type");
  if (!mediaType?.type.startsWith("application/cloudevents")) return decodeBinary(message, contentType, mediaType);
  if (mediaType.type === structuredType && isUtf8MediaType(mediaType)) return decodeStructured(message.body);
  throw new Fault(
    "unsupported-media-type",
    `content-type ${mediaType.type}: one event at a time as ${structuredType} in UTF-8, or in binary mode`,
  );
}

function decodeBinary({ rawHeaders, body }: Message, contentType?: string, mediaType?: MediaType): ReceivedEvent {
  const attributes: Record<string, Json> = Object.create(null); // "constructor" is an attribute name like any other
  for (const [header, value] of headersWithPrefix(rawHeaders, "ce-")) {
    const name = header.slice("ce-".length);
    if (name in attributes) throw malformed(`header ${header} stands twice`);
    if (name === "datacontenttype") throw malformed("header ce-datacontenttype: the Content-Type header carries it");
    if (name === "data" || name === "data_base64") throw malformed(`header ${header}: the body carries the data`);
    attributes[name] = decodeHeaderValue(header, value);
  }
  if (contentType !== undefined) attributes.datacontenttype = contentType;
  const event = checkAttributes(attributes);
  return body.length === 0 ? event : { ...event, data: decodeData(body, mediaType) };
}

function decodeStructured(body: Buffer): ReceivedEvent {
  const envelope = parseEventJson(body, "the body");
  if (!isJsonObject(envelope)) throw malformed("the body is no JSON object");
  const { data, data_base64: base64, ...attributes } = envelope;
  const event = checkAttributes(attributes);
  if (base64 !== undefined && data !== undefined) throw malformed("data and data_base64 exclude each other");
  if (base64 !== undefined && base64 !== null) {
    if (typeof base64 !== "string" || !isBase64(base64)) throw malformed("data_base64 is no base64");
    const mediaType = parseMediaType(event.datacontenttype ?? "application/json");
    return { ...event, data: decodeData(Buffer.from(base64, "base64"), mediaType) };
  }
  // A null is the JSON format's way to say "no data"; 0 and false are data.
  return data === undefined || data === null ? event : { ...event, data };
}

function decodeData(bytes: Buffer, mediaType: MediaType | undefined): Json | Uint8Array {
  if (!mediaType || !isJsonMediaType(mediaType) || !isUtf8MediaType(mediaType)) return bytes;
  return parseEventJson(bytes, "the data");
}

function parseEventJson(bytes: Buffer, what: string): Json {
  try {
    return parseForeignJson(decodeUtf8(bytes));
  } catch (cause) {
    throw new Fault("malformed-event", `${what} is no JSON in UTF-8`, { cause });
  }
}

/** One header value as HTTP binding 1.0.2, section 3.1.3.2 tells: first the quotes, then one round of percent-decoding. */
function decodeHeaderValue(header: string, value: string): string {
  if (/[^\x20-\x7e]/.test(value)) throw malformed(`header ${header} has characters that must be percent-encoded`);
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value);
  const unquoted = quoted ? (quoted[1] ?? "").replace(/\\(.)/g, "$1") : value;
  try {
    return decodeURIComponent(unquoted);
  } catch (cause) {
    throw new Fault("malformed-event", `header ${header} has a broken percent-encoding`, { cause });
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function malformed(detail: string): Fault {
  return new Fault("malformed-event", detail);
}
