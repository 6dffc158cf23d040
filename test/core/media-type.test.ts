import { describe, expect, it } from "vitest";
import { isJsonMediaType, isUtf8MediaType, parseMediaType } from "../../functions/core/media-type.ts";

describe("parseMediaType", () => {
  it.each<[text: string, type: string, parameters: Record<string, string>]>([
    ["text/plain", "text/plain", {}],
    [" Text/PLAIN ", "text/plain", {}],
    ["text/plain;", "text/plain", {}],
    ["text/plain; ;", "text/plain", {}],
    ["text/plain;charset=UTF-8", "text/plain", { charset: "UTF-8" }],
    ["text/plain ; Charset=utf-8 ; q=1", "text/plain", { charset: "utf-8", q: "1" }],
    ['text/plain; charset="utf-8"', "text/plain", { charset: "utf-8" }],
    ['text/plain; a="b; c=\\"d\\"\\\\"; e=f', "text/plain", { a: 'b; c="d"\\', e: "f" }],
    ['text/plain; a=""', "text/plain", { a: "" }],
    ["application/vnd.a+b-c.d", "application/vnd.a+b-c.d", {}],
  ])("reads %j", (text, type, parameters) => {
    expect(parseMediaType(text)).toEqual({ type, parameters: new Map(Object.entries(parameters)) });
  });

  it.each([
    "",
    " ",
    "text",
    "text/",
    "/plain",
    "text /plain",
    "text/plain charset=utf-8",
    "text/plain, text/html",
    "text/plain; charset",
    "text/plain; charset=",
    "text/plain; charset =utf-8",
    "text/plain; charset=utf 8",
    'text/plain; charset="utf-8',
    'text/plain; charset="utf-8"x',
    "text/plain; =x",
    "téxt/plain",
  ])("takes %j for malformed", (text) => {
    expect(parseMediaType(text)).toBeUndefined();
  });

  it("takes a header of the longest kind for malformed before the deadline", () => {
    for (const unit of [";", " ", "; ", ';a="', "a/"]) {
      expect(parseMediaType(`text/plain${unit.repeat(16_384)}x`)).toBeUndefined();
    }
  });
});

describe("isJsonMediaType", () => {
  it.each([
    ["application/json", true],
    ["text/json", true],
    ["application/problem+json", true],
    ["application/cloudevents+json", true],
    ["application/jsonl", false],
    ["application/json-seq", false],
    ["application/x-json", false],
    ["text/plain", false],
  ])("%s: %s", (type, isJson) => {
    expect(isJsonMediaType({ type, parameters: new Map() })).toBe(isJson);
  });
});

describe("isUtf8MediaType", () => {
  it.each([
    [undefined, true],
    ["utf-8", true],
    ["UTF-8", true],
    ["utf8", true],
    ["US-ASCII", true],
    ["utf-16", false],
    ["utf-8-sig", false],
    ["iso-8859-1", false],
    ["", false],
  ])("charset %s: %s", (charset, isUtf8) => {
    const parameters = new Map(charset === undefined ? [] : [["charset", charset]]);
    expect(isUtf8MediaType({ type: "application/json", parameters })).toBe(isUtf8);
  });
});
