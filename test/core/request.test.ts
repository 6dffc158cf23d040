import { describe, expect, it } from "vitest";
import { overlapPolicies, parseSyncRequest } from "../../functions/core/request.ts";
import { faultOf } from "../support/fault-of.ts";

describe("a request", () => {
  it.each<[value: object]>([
    [{}],
    [{ reason: "" }],
    [{ reason: "x".repeat(256) }],
    [{ reason: "ü 😀 \n" }],
    ...overlapPolicies.map((onOverlap): [object] => [{ onOverlap }]),
    [{ ifOlderThan: "26h" }],
    [{ reason: "by hand", onOverlap: "join", ifOlderThan: "1h30m" }],
  ])("of %j is taken as it is", (value) => {
    expect(parseSyncRequest(value)).toEqual(value);
  });

  it.each<[what: string, value: unknown, sentence: RegExp]>([
    ["null", null, /^the request: .*expected object/],
    ["an array", [], /^the request: .*expected object/],
    ["a string", "{}", /^the request: .*expected object/],
    ["a number", 0, /^the request: .*expected object/],
    ["false", false, /^the request: .*expected object/],
    ["a reason that is null", { reason: null }, /^reason: .*expected string/],
    ["a reason that is a number", { reason: 1 }, /^reason: .*expected string/],
    ["a reason of 257 characters", { reason: "x".repeat(257) }, /^reason: .*256/],
    ["an unknown policy", { onOverlap: "replace" }, /^onOverlap: .*"allow"\|"forbid"\|"join"\|"inherit"/],
    ["a policy in upper case", { onOverlap: "Allow" }, /^onOverlap: /],
    ["a policy that is a list", { onOverlap: ["allow"] }, /^onOverlap: /],
    ["a policy named like a part of every object", { onOverlap: "constructor" }, /^onOverlap: /],
    ["an age without a unit", { ifOlderThan: "26" }, /^ifOlderThan: expected a duration such as "90s"/],
    ["an age that is a number", { ifOlderThan: 26 }, /^ifOlderThan: .*expected string/],
    ["an unknown field", { resaon: "x" }, /^unknown field "resaon"; allowed: reason, onOverlap, ifOlderThan$/],
    ["two unknown fields", { a: 1, b: 2 }, /^unknown field "a", "b"; allowed: /],
    ["a field in another case", { Reason: "x" }, /^unknown field "Reason"/],
    ["a field with a line break in its name", { "a\nb": 1 }, /^unknown field "a\\nb"/],
    ["a field named constructor", { constructor: 1 }, /^unknown field "constructor"/],
  ])("with %s is refused with 422, which says so", async (_what, value, sentence) => {
    const fault = await faultOf(() => parseSyncRequest(value));
    expect(fault).toMatchObject({ code: "invalid-field", status: 422, message: expect.stringMatching(sentence) });
  });

  it("with a field named __proto__ is refused too", async () => {
    const fault = await faultOf(() => parseSyncRequest(JSON.parse('{"__proto__":{"reason":"x"}}')));
    expect(fault).toMatchObject({ code: "invalid-field", message: expect.stringContaining('"__proto__"') });
  });

  it("has every wrong field named at once", async () => {
    const { message } = await faultOf(() => parseSyncRequest({ reason: 1, onOverlap: 2, ifOlderThan: "x", other: 3 }));
    expect(message.split("; ").map((sentence) => sentence.replace(/[: ].*/, ""))).toEqual([
      "reason",
      "onOverlap",
      "ifOlderThan",
      "unknown",
      "allowed",
    ]);
  });

  it("has at most five unknown fields named, each cut, so that the answer stays short", async () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${index}${"x".repeat(500)}`, 1]));
    const { message } = await faultOf(() => parseSyncRequest(fields));
    expect(message.match(/x{60,64}/g)).toHaveLength(5);
    expect(message.length).toBeLessThan(500);
  });
});
