import { describe, expect, it } from "vitest";
import { decodeUtf8, isJsonObject, parseForeignJson, parseJson, parseJsonExactly } from "../../functions/core/json.ts";

describe("parseJsonExactly", () => {
  it.each([
    "1.0",
    "1.50",
    "1e3",
    "1E+3",
    "1e-7",
    "0.1e1",
    "-0",
    "-0.0",
    "100000000000000000000000",
    "12345678901234567890",
    "-9223372036854775808",
    "9007199254740993",
    "3.141592653589793238462643383279",
    "1e400",
    "5e-324",
    '{"a":1.0}',
    '[1.0,[2.0,{"b":[3.0]}],-0]',
    '{"":1.0,"a.b/c~d":{"0":1e2}}',
    '{"__proto__":{"a":1.0},"constructor":2.0,"toString":-0}',
    '{"a":{"__proto__":1.0}}',
    '"1.0"',
    '["\\"1.0\\"","\\\\","\\n","ü😀"]',
    "[true,false,null,[],{}]",
  ])("gives back %s byte for byte", (text) => {
    expect(JSON.stringify(parseJsonExactly(text))).toBe(text);
  });

  it("gives ordinary numbers as numbers, which code can calculate with", () => {
    expect(parseJsonExactly('{"a":[0,-1,2.5,1048576]}')).toStrictEqual({ a: [0, -1, 2.5, 1_048_576] });
  });

  it("sets no prototype from what it reads", () => {
    const value = parseJsonExactly('{"__proto__":{"polluted":1.0}}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect("polluted" in value).toBe(false);
  });

  it.each(["", "{", "01", "1.", "NaN", "{'a':1}", "[1,]", "\ufeff{}"])("throws a SyntaxError for %j", (text) => {
    expect(() => parseJsonExactly(text)).toThrow(SyntaxError);
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});

describe("parseForeignJson", () => {
  it.each(["0", '"x"', "[]", '{"a":[{"b":null}],"constructor":1}', nested(64)])("gives the value of %s", (text) => {
    expect(parseForeignJson(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ["a key __proto__", '{"__proto__":1}', "has a key __proto__"],
    ["a key __proto__ further in", '[{"a":{"__proto__":{}}}]', "has a key __proto__"],
    ["nesting over 64 deep", nested(66), "nested over 64 deep"],
    ["nesting that would overflow a stack", nested(30_000), "nested over 64 deep"],
    ["no JSON", "{", /JSON/],
  ])("throws a SyntaxError for %s", (_what, text, sentence) => {
    expect(() => parseForeignJson(text)).toThrow(SyntaxError);
    expect(() => parseForeignJson(text)).toThrow(sentence);
  });
});

describe("decodeUtf8", () => {
  it("keeps every character, a byte order mark too", () => {
    for (const text of ["", "ü€😀\u0000", "\ufeff{}"]) expect(decodeUtf8(Buffer.from(text))).toBe(text);
  });

  it.each([
    ["a byte alone", [0xff]],
    ["half a character", [0xc3]],
    ["an overlong form", [0xc0, 0xaf]],
    ["a lone surrogate", [0xed, 0xa0, 0x80]],
    ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ])("throws a TypeError for %s", (_what, bytes) => {
    expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(TypeError);
  });
});

describe("isJsonObject", () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    [undefined, false],
    ["{}", false],
    [0, false],
  ])("%j: %s", (value, isObject) => {
    expect(isJsonObject(value)).toBe(isObject);
  });
});

/** Arrays in arrays, so many deep. */
function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}
