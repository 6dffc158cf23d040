import { describe, expect, it } from "vitest";
import { decodeEvent, isEventRequest } from "../../functions/core/cloudevent.ts";
import { binaryEvent, leastAttributes, structuredEvent } from "../support/events.ts";
import { faultOf } from "../support/fault-of.ts";

describe("isEventRequest", () => {
  it.each([
    ["a ce- header", ["ce-id", "1"]],
    ["a ce- header in upper case", ["CE-Id", "1"]],
    ["a structured media type", ["content-type", "application/cloudevents+json"]],
    ["a media type in upper case", ["Content-Type", "APPLICATION/CloudEvents+JSON"]],
    ["a batch, which is refused as an event", ["content-type", "application/cloudevents-batch+json"]],
    ["any event format", ["content-type", "application/cloudevents+avro; charset=utf-8"]],
  ])("takes %s for an event", (_what, rawHeaders) => {
    expect(isEventRequest(rawHeaders)).toBe(true);
  });

  it.each([
    ["no header", []],
    ["plain JSON", ["content-type", "application/json"]],
    ["a header whose name only contains ce-", ["x-ce-id", "1", "source-id", "2"]],
    ["a media type that only contains the name", ["content-type", "text/plain; of=application/cloudevents+json"]],
  ])("takes %s for none", (_what, rawHeaders) => {
    expect(isEventRequest(rawHeaders)).toBe(false);
  });
});

describe("a structured event's media type", () => {
  it.each([
    ["application/cloudevents+json"],
    ["application/cloudevents+json; charset=utf-8"],
    ["application/cloudevents+json;charset=UTF-8"],
    ['application/cloudevents+json ; charset="Utf-8"'],
    ["Application/CloudEvents+JSON;CHARSET=UTF8"],
    ["application/cloudevents+json; charset=us-ascii"],
    ["application/cloudevents+json; profile=x"],
  ])("%s is read", (contentType) => {
    expect(decodeEvent(structuredEvent({ data: 1 }, contentType))).toEqual({ ...leastAttributes, data: 1 });
  });

  it.each([
    ["a batch", "application/cloudevents-batch+json"],
    ["Avro", "application/cloudevents+avro"],
    ["Protobuf", "application/cloudevents+protobuf"],
    ["XML", "application/cloudevents+xml"],
    ["no format", "application/cloudevents"],
    ["a longer name", "application/cloudevents+jsonl"],
    ["UTF-16", "application/cloudevents+json; charset=utf-16"],
    ["ISO 8859-1", "application/cloudevents+json;charset=ISO-8859-1"],
  ])("%s is refused with 415", async (_what, contentType) => {
    const fault = await faultOf(() => decodeEvent(structuredEvent({}, contentType)));
    expect(fault).toMatchObject({ code: "unsupported-media-type", status: 415 });
    expect(fault.message).toContain("one event at a time as application/cloudevents+json in UTF-8");
  });

  it.each([
    ["no slash", "application"],
    ["a parameter without a value", "application/cloudevents+json; charset"],
    ["an unquoted space", "application/cloudevents+json; charset=utf 8"],
    ["an open quote", 'application/cloudevents+json; charset="utf-8'],
    ["nothing", ""],
  ])("that is malformed (%s) is refused with 400", async (_what, contentType) => {
    const fault = await faultOf(() => decodeEvent(structuredEvent({}, contentType)));
    expect(fault).toMatchObject({ code: "malformed-event", status: 400 });
    expect(fault.message).toContain("content-type");
  });

  it("that stands twice is refused, not chosen from", async () => {
    const { rawHeaders, body } = structuredEvent({});
    const fault = await faultOf(() => decodeEvent({ rawHeaders: [...rawHeaders, "content-type", "text/plain"], body }));
    expect(fault).toMatchObject({ status: 400, message: "header content-type stands 2 times; once is allowed" });
  });

  it("outranks ce- headers, which are then no attributes", () => {
    const { rawHeaders, body } = structuredEvent({ id: "of the body" });
    const event = decodeEvent({ rawHeaders: [...rawHeaders, "ce-id", "of a header"], body });
    expect(event).toEqual({ ...leastAttributes, id: "of the body" });
  });
});

describe("a structured body", () => {
  const { specversion, id, source, type } = leastAttributes;
  it.each([
    ["empty", ""],
    ["cut off", '{"specversion":"1.0"'],
    ["an array", "[]"],
    ["a string", '"event"'],
    ["null", "null"],
    ["two values", "{}{}"],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", Buffer.from(JSON.stringify({ specversion, id, source, type }), "utf16le")],
    ["behind a byte order mark", `\ufeff${JSON.stringify({ specversion, id, source, type })}`],
  ])("that is %s is refused with 400", async (_what, body) => {
    const fault = await faultOf(() => decodeEvent(structuredEvent(body)));
    expect(fault).toMatchObject({ code: "malformed-event", status: 400 });
    expect(fault.message).toMatch(/^the body is no JSON/);
  });

  it("may begin and end with white space", () => {
    const body = `\n\t ${JSON.stringify({ specversion, id, source, type })}\r\n`;
    expect(decodeEvent(structuredEvent(body))).toEqual(leastAttributes);
  });

  it("keeps extension attributes of every type, and leaves null ones out", () => {
    const extensions = { text: "ü", number: -2_147_483_648, yes: true, no: false, constructor: "c" };
    expect(decodeEvent(structuredEvent({ ...extensions, none: null }))).toEqual({ ...leastAttributes, ...extensions });
  });
});

describe("a binary event", () => {
  it("has its attributes in headers of any case, and its data's type in Content-Type", () => {
    const { rawHeaders, body } = binaryEvent(
      { subject: "s", time: "2026-01-02T03:04:05Z", dataschema: "https://example.com/schema", ext1: "e" },
      { headers: ["CONTENT-TYPE", "text/plain; charset=utf-16"], body: "x" },
    );
    const upperCased = rawHeaders.map((text, index) => (index % 2 === 0 ? text.toUpperCase() : text));
    expect(decodeEvent({ rawHeaders: upperCased, body })).toEqual({
      ...leastAttributes,
      subject: "s",
      time: "2026-01-02T03:04:05Z",
      dataschema: "https://example.com/schema",
      ext1: "e",
      datacontenttype: "text/plain; charset=utf-16",
      data: Buffer.from("x"),
    });
  });

  it.each([
    ["a doubled header", ["ce-id", "2"], /ce-id stands twice/],
    ["the same header doubled in another case", ["Ce-ID", "1"], /ce-id stands twice/],
    ["a doubled extension", ["ce-x", "1", "ce-x", "1"], /ce-x stands twice/],
    ["ce-datacontenttype", ["ce-datacontenttype", "text/plain"], /Content-Type/],
    ["ce-data", ["ce-data", "x"], /the body carries the data/],
    ["ce-data_base64", ["ce-data_base64", "eA=="], /the body carries the data/],
    ["a malformed Content-Type", ["content-type", "json"], /content-type is no media type/],
  ])("is refused with 400 for %s", async (_what, headers, sentence) => {
    const fault = await faultOf(() => decodeEvent(binaryEvent({}, { headers })));
    expect(fault).toMatchObject({ status: 400, message: expect.stringMatching(sentence) });
  });

  it("may have an extension that is named like a part of every JavaScript object", () => {
    expect(decodeEvent(binaryEvent({ constructor: "c" }))).toEqual({ ...leastAttributes, constructor: "c" });
  });
});

describe("a header value is decoded once, quotes first (HTTP binding, section 3.1.3.2)", () => {
  it.each([
    ["plain", "plain", "plain"],
    ["spaces that were not encoded", "a b", "a b"],
    ["an encoded space", "a%20b", "a b"],
    ["an encoded quote", "%22a%22", '"a"'],
    ["an encoded percent sign", "100%25", "100%"],
    ["only one round", "%2541", "%41"],
    ["lower-case digits", "%c3%bc", "ü"],
    ["two, three and four bytes", "%C3%BC%E2%82%AC%F0%9F%98%80", "ü€😀"],
    ["the specification's example", "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["a plus sign, which is no space", "a+b", "a+b"],
    ["quoted", '"a b"', "a b"],
    ["quoted with escapes", '"a \\"b\\" \\\\c"', 'a "b" \\c'],
    ["quoted and then encoded", '"%22"', '"'],
    ["a quote inside, which opens nothing", 'a"b', 'a"b'],
  ])("%s: %s", (_what, header, value) => {
    expect(decodeEvent(binaryEvent({ subject: header }))).toMatchObject({ subject: value });
  });

  it.each(['with "quotes" and a \\', "100 % of ü, € and 😀", "%41", "a,b;c=d", "~!*'()"])(
    "%s comes back from its encoded form",
    (value) => {
      const encoded = encodeURIComponent(value);
      expect(decodeEvent(binaryEvent({ subject: encoded, ext: `"${encoded}"` }))).toMatchObject({
        subject: value,
        ext: value,
      });
    },
  );

  it.each([
    ["a percent sign alone", "100%", /broken percent-encoding/],
    ["one digit", "%2", /broken percent-encoding/],
    ["no digits", "%zz", /broken percent-encoding/],
    ["half a character", "%C3", /broken percent-encoding/],
    ["an overlong form", "%C0%AF", /broken percent-encoding/],
    ["a lone surrogate", "%ED%A0%80", /broken percent-encoding/],
    ["bytes outside ASCII", "Ã¼", /must be percent-encoded/],
    ["a tab", "a\tb", /must be percent-encoded/],
    ["an encoded line break", "a%0D%0Ab", /forbidden characters/],
    ["an encoded NUL", "%00", /forbidden characters/],
    ["a noncharacter", "%EF%BF%BF", /forbidden characters/],
  ])("%s is refused with 400", async (_what, value, sentence) => {
    for (const name of ["subject", "ext"]) {
      const fault = await faultOf(() => decodeEvent(binaryEvent({ [name]: value })));
      expect(fault).toMatchObject({ code: "malformed-event", message: expect.stringMatching(sentence) });
      expect(fault.message).toContain(name);
    }
  });
});
