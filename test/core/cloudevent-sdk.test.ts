import { CloudEvent, HTTP, type Message } from "cloudevents";
import { describe, expect, it } from "vitest";
import { decodeEvent, isEventRequest } from "../../functions/core/cloudevent.ts";
import { binaryEvent, type EventMessage, leastAttributes, structuredEvent } from "../support/events.ts";
import { faultOf } from "../support/fault-of.ts";

const attributes = {
  specversion: "1.0",
  id: "f3c1",
  source: "/apis/v1/namespaces/kraken/pingsources/sync",
  type: "internal.sync-trigger.requested.v1",
  time: "2026-01-02T03:04:05.678Z",
  subject: "sync/now",
  dataschema: "https://example.com/schema",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  sampledrate: 30,
};

const data = [{ reason: "by hand" }, [1, 2], "text", true];

describe("an event made by the cloudevents SDK decodes to the same attributes and data", () => {
  it.each(data.map((value) => [value]))("in binary mode: %j", (value) => {
    // The SDK leaves it to its caller to encode strings and numbers.
    const event = decodeEvent(toEventMessage(HTTP.binary(new CloudEvent({ ...attributes, data: value }))));
    const datacontenttype = "application/json; charset=utf-8";
    expect(event).toEqual({ ...attributes, sampledrate: "30", datacontenttype, data: value });
  });

  it.each(data.map((value) => [value]))("in structured mode: %j", (value) => {
    const event = decodeEvent(toEventMessage(HTTP.structured(new CloudEvent({ ...attributes, data: value }))));
    expect(event).toEqual({ ...attributes, data: value });
  });

  it("in structured mode with bytes", () => {
    const bytes = new Uint8Array([0, 127, 255]);
    const made = new CloudEvent({ ...attributes, datacontenttype: "application/octet-stream", data: bytes });
    const event = decodeEvent(toEventMessage(HTTP.structured(made)));
    expect(event).toEqual({ ...attributes, datacontenttype: "application/octet-stream", data: Buffer.from(bytes) });
  });

  it("in binary mode with bytes", () => {
    const bytes = new Uint8Array([0, 127, 255]);
    const made = new CloudEvent({ ...attributes, datacontenttype: "application/octet-stream", data: bytes });
    expect(decodeEvent(toEventMessage(HTTP.binary(made))).data).toEqual(Buffer.from(bytes));
  });

  it("without data, with the id and time that it made", () => {
    const made = new CloudEvent({ source: "/s", type: "t" });
    for (const message of [HTTP.binary(made), HTTP.structured(made)]) {
      const { id, time } = decodeEvent(toEventMessage(message));
      expect({ id, time }).toEqual({ id: made.id, time: made.time });
    }
  });
});

/** Where the SDK's own reader (10.0.0) would lose, invent or throw: what we do instead. */
describe("what the SDK's reader gets wrong", () => {
  it.each<[what: string, message: EventMessage]>([
    ["no id in a structured event, of which it invents a new one each time", structuredEvent({ id: undefined })],
    ["no source", structuredEvent({ source: undefined })],
    ["no type", structuredEvent({ type: undefined })],
    ["specversion 9.9", structuredEvent({ specversion: "9.9" })],
    ["a time that is none, which becomes now", structuredEvent({ time: "yesterday" })],
    ["malformed JSON, a raw SyntaxError", jsonEvent("{")],
  ])("%s: refused with 400", async (_what, message) => {
    expect(await faultOf(() => decodeEvent(message))).toMatchObject({ code: "malformed-event", status: 400 });
  });

  it.each<[what: string, message: EventMessage, data: unknown]>([
    ["data 0, which becomes undefined", structuredEvent({ data: 0 }), 0],
    ["data false, which becomes undefined", structuredEvent({ data: false }), false],
    ["a binary body 5, which becomes a string", jsonEvent("5"), 5],
    ["a binary body true, which becomes a string", jsonEvent("true"), true],
    ["a leading line break, a raw SyntaxError", jsonEvent("\n{}"), {}],
    [
      "a charset without a space, a ValidationError",
      structuredEvent({ data: 1 }, "application/cloudevents+json;charset=UTF-8"),
      1,
    ],
    [
      "data_base64, which becomes a Uint32Array",
      structuredEvent({ datacontenttype: "text/plain", data_base64: "eHl6" }),
      Buffer.from("xyz"),
    ],
  ])("%s: read as it is", (_what, message, expected) => {
    expect(decodeEvent(message)).toMatchObject(leastAttributes);
    expect(decodeEvent(message).data).toStrictEqual(expected);
  });

  it("differs between two readings of the same event without an id, which is why it is not asked", () => {
    const { rawHeaders, body } = structuredEvent({ id: undefined });
    const read = () => HTTP.toEvent({ headers: { "content-type": rawHeaders[1] ?? "" }, body: body.toString() });
    expect((read() as CloudEvent).id).not.toBe((read() as CloudEvent).id);
  });
});

function jsonEvent(body: string): EventMessage {
  return binaryEvent({}, { headers: ["content-type", "application/json"], body });
}

/** What of an SDK message arrives over HTTP. */
function toEventMessage({ headers, body }: Message): EventMessage {
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  expect(isEventRequest(rawHeaders)).toBe(true);
  if (body === undefined) return { rawHeaders, body: Buffer.alloc(0) };
  const isEncoded = typeof body === "string" && /^[[{]/.test(body);
  const bytes = body instanceof Uint8Array ? body : isEncoded ? body : JSON.stringify(body);
  return { rawHeaders, body: Buffer.from(bytes as string) };
}
