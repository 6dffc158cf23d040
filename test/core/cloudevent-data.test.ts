import { describe, expect, it } from "vitest";
import { decodeEvent } from "../../functions/core/cloudevent.ts";
import type { Json } from "../../functions/core/json.ts";
import { binaryEvent, leastAttributes, structuredEvent } from "../support/events.ts";
import { faultOf } from "../support/fault-of.ts";

const values: Json[] = [0, -1.5, 1e300, true, false, "", "text", "5", [], [null], {}, { a: { b: [1] } }];
const json = { headers: ["content-type", "application/json"] };

describe("data of every JSON type", () => {
  it.each(values.map((value) => [value]))("comes whole out of a structured event: %j", (data) => {
    expect(decodeEvent(structuredEvent({ data }))).toStrictEqual({ ...leastAttributes, data });
  });

  it.each([...values, null].map((value) => [value]))("comes whole out of a binary event: %j", (data) => {
    const event = decodeEvent(binaryEvent({}, { ...json, body: JSON.stringify(data) }));
    expect(event).toStrictEqual({ ...leastAttributes, datacontenttype: "application/json", data });
  });

  it("that is null in a structured event is no data", () => {
    expect(decodeEvent(structuredEvent({ data: null }))).toStrictEqual(leastAttributes);
    expect(decodeEvent(structuredEvent({ data_base64: null }))).toStrictEqual(leastAttributes);
  });

  it("that is absent stays absent", () => {
    expect(decodeEvent(structuredEvent({}))).toStrictEqual(leastAttributes);
    expect(decodeEvent(binaryEvent())).toStrictEqual(leastAttributes);
    expect(decodeEvent(binaryEvent({}, json))).not.toHaveProperty("data");
  });
});

describe("the body of a binary event", () => {
  it.each([
    ["application/json"],
    ["application/json; charset=utf-8"],
    ["Application/JSON;charset=UTF-8"],
    ["text/json"],
    ["application/vnd.example+json"],
  ])("is JSON when its type is %s", (contentType) => {
    const message = binaryEvent({}, { headers: ["content-type", contentType], body: '{"a":1}' });
    expect(decodeEvent(message)).toMatchObject({ datacontenttype: contentType, data: { a: 1 } });
  });

  it.each([
    ["text/plain"],
    ["application/xml"],
    ["application/octet-stream"],
    ["application/jsonp"],
    ["application/json; charset=utf-16"],
  ])("stays bytes when its type is %s", (contentType) => {
    const body = Buffer.from([0xff, 0x00, 0x7b]);
    expect(decodeEvent(binaryEvent({}, { headers: ["content-type", contentType], body })).data).toEqual(body);
  });

  it("stays bytes when it has no type", () => {
    expect(decodeEvent(binaryEvent({}, { body: "5" }))).toStrictEqual({ ...leastAttributes, data: Buffer.from("5") });
  });

  it("may be JSON behind a line break", () => {
    expect(decodeEvent(binaryEvent({}, { ...json, body: '\n{"a":1}' })).data).toEqual({ a: 1 });
  });

  it.each([
    ["cut off", '{"a":'],
    ["not JSON", "hello"],
    ["single-quoted", "{'a':1}"],
    ["white space alone", " "],
    ["no UTF-8", Buffer.from([0x22, 0xc3, 0x22])],
    ["with a raw control character", '"a\u0001"'],
  ])("whose type is JSON and which is %s is refused with 400", async (_what, body) => {
    const fault = await faultOf(() => decodeEvent(binaryEvent({}, { ...json, body })));
    expect(fault).toEqual({
      code: "malformed-event",
      status: 400,
      message: "the data is no JSON in UTF-8",
      headers: {},
    });
  });
});

describe("data_base64", () => {
  const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);

  it("is decoded to bytes", () => {
    const envelope = { datacontenttype: "application/octet-stream", data_base64: bytes.toString("base64") };
    const { data } = decodeEvent(structuredEvent(envelope));
    expect(data).toEqual(bytes);
    expect(data).toBeInstanceOf(Buffer);
  });

  it.each([[undefined], ["application/json"], ["application/vnd.example+json; charset=utf-8"]])(
    "is read as JSON when the type is %s",
    (datacontenttype) => {
      const data_base64 = Buffer.from('{"a":1}').toString("base64");
      expect(decodeEvent(structuredEvent({ datacontenttype, data_base64 })).data).toEqual({ a: 1 });
    },
  );

  it("that is empty is empty data", () => {
    const event = decodeEvent(structuredEvent({ datacontenttype: "text/plain", data_base64: "" }));
    expect(event.data).toEqual(Buffer.alloc(0));
  });

  it("leaves no attribute of its own", () => {
    const event = decodeEvent(structuredEvent({ datacontenttype: "text/plain", data_base64: "eA==" }));
    expect(event).not.toHaveProperty("data_base64");
  });

  it.each([
    ["a character outside the alphabet", "eA=?"],
    ["the URL alphabet", "-_-_"],
    ["no padding", "eA"],
    ["padding in the middle", "eA==eA=="],
    ["white space", "eA= ="],
    ["a line break", "eHh4\neHh4"],
    ["a number", 5],
    ["an object", {}],
    ["a list of bytes", [1, 2]],
  ])("of %s is refused with 400", async (_what, data_base64) => {
    const fault = await faultOf(() => decodeEvent(structuredEvent({ data_base64 })));
    expect(fault).toMatchObject({ status: 400, message: "data_base64 is no base64" });
  });

  it.each([[{ a: 1 }], [0], [null], [""]])("beside data %j is refused with 400", async (data) => {
    const fault = await faultOf(() => decodeEvent(structuredEvent({ data, data_base64: "eA==" })));
    expect(fault).toMatchObject({ status: 400, message: "data and data_base64 exclude each other" });
  });

  it("whose type is JSON and which holds none is refused with 400", async () => {
    const fault = await faultOf(() => decodeEvent(structuredEvent({ data_base64: bytes.toString("base64") })));
    expect(fault).toMatchObject({ status: 400, message: "the data is no JSON in UTF-8" });
  });
});
