import { describe, expect, it } from "vitest";
import { headersWithPrefix, headerValues, singleHeader } from "../../functions/core/headers.ts";
import { faultOf } from "../support/fault-of.ts";

const rawHeaders = ["Host", "h", "X-A", "1", "accept", "x-a", "x-a", "2", "X-AB", ""];

describe("headerValues", () => {
  it.each([
    ["host", ["h"]],
    ["x-a", ["1", "2"]],
    ["x-ab", [""]],
    ["1", []],
    ["absent", []],
  ])("gives the values of %s in their order, and never a value for a name", (name, values) => {
    expect(headerValues(rawHeaders, name)).toEqual(values);
  });
});

describe("singleHeader", () => {
  it("gives the value, or undefined when the header is absent", () => {
    expect(singleHeader(rawHeaders, "host")).toBe("h");
    expect(singleHeader(rawHeaders, "x-ab")).toBe("");
    expect(singleHeader(rawHeaders, "absent")).toBeUndefined();
  });

  it("refuses a doubled header with 400, naming it", async () => {
    expect(await faultOf(() => singleHeader(rawHeaders, "x-a"))).toMatchObject({
      code: "malformed-request",
      message: "header x-a stands 2 times; once is allowed",
    });
  });
});

describe("headersWithPrefix", () => {
  it("gives names in lower case, doubled ones as they came", () => {
    expect(headersWithPrefix(rawHeaders, "x-a")).toEqual([
      ["x-a", "1"],
      ["x-a", "2"],
      ["x-ab", ""],
    ]);
  });
});
