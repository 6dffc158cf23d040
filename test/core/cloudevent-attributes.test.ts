import { describe, expect, it } from "vitest";
import { decodeEvent } from "../../functions/core/cloudevent.ts";
import { checkAttributes } from "../../functions/core/cloudevent-attributes.ts";
import type { Json } from "../../functions/core/json.ts";
import { binaryEvent, leastAttributes, structuredEvent } from "../support/events.ts";
import { faultOf } from "../support/fault-of.ts";

const required = ["specversion", "id", "source", "type"];
const optional = ["datacontenttype", "dataschema", "subject", "time"];

describe("a required attribute", () => {
  it.each(required)("%s that is missing is named, in both modes", async (name) => {
    const message = `attribute "${name}" is missing`;
    expect(await faultOf(() => decodeEvent(structuredEvent({ [name]: undefined })))).toMatchObject({ message });
    expect(await faultOf(() => decodeEvent(structuredEvent({ [name]: null })))).toMatchObject({ message });
    expect(await faultOf(() => decodeEvent(binaryEvent({ [name]: undefined })))).toMatchObject({ message });
  });
});

describe("a known attribute", () => {
  it.each([...required, ...optional])("%s that is empty is named, in both modes", async (name) => {
    const sentence = new RegExp(`"${name}" is (empty|no|not) ?`);
    expect((await faultOf(() => decodeEvent(structuredEvent({ [name]: "" })))).message).toMatch(sentence);
    if (name === "datacontenttype") return; // in binary mode the Content-Type header carries it
    expect((await faultOf(() => decodeEvent(binaryEvent({ [name]: "" })))).message).toMatch(sentence);
  });

  it.each([...required, ...optional].flatMap((name) => [1, true, [], {}].map((value) => [name, value])))(
    "%s of the value %j is no string",
    async (name, value) => {
      const fault = await faultOf(() => decodeEvent(structuredEvent({ [name as string]: value })));
      expect(fault).toMatchObject({ status: 400, message: `attribute "${name}" is no string` });
    },
  );

  it.each(
    [...required, ...optional].flatMap((name) =>
      ["a\nb", "a\u0000", "\u0085", "\ud800", "\ufdd0"].map((bad) => [name, bad]),
    ),
  )("%s must not have the forbidden characters of %j", async (name, value) => {
    const fault = await faultOf(() => decodeEvent(structuredEvent({ [name as string]: value })));
    expect(fault).toMatchObject({
      status: 400,
      message: `attribute "${name}" has control or other forbidden characters`,
    });
  });

  it.each<[name: string, value: string, sentence: string]>([
    ["specversion", "0.3", 'is not "1.0"'],
    ["specversion", "1.0.2", 'is not "1.0"'],
    ["specversion", "9.9", 'is not "1.0"'],
    ["source", "/a b", "is no URI reference"],
    ["source", "<x>", "is no URI reference"],
    ["datacontenttype", "json", "is no media type"],
    ["datacontenttype", "text/plain; charset", "is no media type"],
    ["dataschema", "/relative", "is no absolute URI"],
    ["dataschema", "https://example.com/a b", "is no URI reference"],
    ["time", "yesterday", "is no RFC 3339 timestamp"],
    ["time", "2026-02-30T00:00:00Z", "is no RFC 3339 timestamp"],
    ["time", "2026-01-01T00:00:00", "is no RFC 3339 timestamp"],
  ])("%s must not be %j", async (name, value, sentence) => {
    const fault = await faultOf(() => checkAttributes({ ...leastAttributes, [name]: value }));
    expect(fault).toEqual({
      code: "malformed-event",
      status: 400,
      message: `attribute "${name}" ${sentence}`,
      headers: {},
    });
  });

  it.each([
    ["source", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"],
    ["source", "/apis/v1/namespaces/kraken/pingsources/sync"],
    ["source", "https://example.com/ü?q=1#f"],
    ["source", "1-555-123-4567"],
    ["id", " "],
    ["type", "Ünï 😀"],
    ["datacontenttype", "application/vnd.x+json; charset=utf-8"],
    ["dataschema", "urn:example:schema"],
    ["time", "2018-04-05T17:31:00.123456789+02:00"],
    ["subject", "a b\u00a0c"],
  ])("%s may be %j, and stays as it came", (name, value) => {
    expect(checkAttributes({ ...leastAttributes, [name]: value })).toEqual({ ...leastAttributes, [name]: value });
  });
});

describe("an extension attribute", () => {
  it.each(["Upper", "with-dash", "with_underscore", "with.dot", "ü", "", "__proto__", "toString"])(
    "must not be named %j",
    async (name) => {
      const fault = await faultOf(() => checkAttributes(withAttribute(name, "x")));
      expect(fault).toMatchObject({ code: "malformed-event", status: 400 });
      expect(fault.message).toBe(
        `attribute ${JSON.stringify(name)} is no attribute name: lower-case letters and digits only`,
      );
    },
  );

  it("must not be named badly in a header either", async () => {
    for (const name of ["__proto__", "with-dash", "with_underscore", ""]) {
      const fault = await faultOf(() => decodeEvent(binaryEvent({}, { headers: [`ce-${name}`, "x"] })));
      expect(fault.message).toContain(`attribute ${JSON.stringify(name)} is no attribute name`);
    }
  });

  it("is named in at most 64 characters", async () => {
    const fault = await faultOf(() => checkAttributes(withAttribute("X".repeat(10_000), "x")));
    expect(fault.message).toContain(`"${"X".repeat(64)}"`);
    expect(fault.message.length).toBeLessThan(150);
  });

  it.each<[value: Json, sentence: string]>([
    [{ a: 1 }, "is neither string, number nor boolean"],
    [[], "is neither string, number nor boolean"],
    [1.5, "is no whole number of 32 bits"],
    [2_147_483_648, "is no whole number of 32 bits"],
    [1e300, "is no whole number of 32 bits"],
    ["a\u0007", "has control or other forbidden characters"],
    ["\udc00", "has control or other forbidden characters"],
    ["\u{1ffff}", "has control or other forbidden characters"],
  ])("must not be %j", async (value, sentence) => {
    for (const name of ["ext", "constructor"]) {
      const fault = await faultOf(() => checkAttributes(withAttribute(name, value)));
      expect(fault).toMatchObject({ status: 400, message: `attribute "${name}" ${sentence}` });
    }
  });

  it.each<[Json]>([[""], ["ü😀"], [0], [-2_147_483_648], [2_147_483_647], [true], [false]])("may be %j", (value) => {
    expect(checkAttributes(withAttribute("ext1", value))).toEqual({ ...leastAttributes, ext1: value });
  });
});

/** The least attributes and one of any name, "__proto__" too. */
function withAttribute(name: string, value: Json): Record<string, Json> {
  return Object.fromEntries([...Object.entries(leastAttributes), [name, value]]);
}
