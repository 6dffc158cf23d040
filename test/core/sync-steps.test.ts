import { describe, expect, it } from "vitest";
import { parseSyncSteps, showsStep } from "../../functions/core/sync-steps.ts";

describe("SYNC_STEPS", () => {
  const two = [
    { name: "trades", pattern: "trade sync: * written" },
    { name: "rewards", pattern: "reward=done" },
  ];

  it.each([
    ["one a line, as a ConfigMap has them", "trades=trade sync: * written\nrewards=reward=done\n"],
    ["separated by semicolons", "trades=trade sync: * written; rewards=reward=done"],
    ["with spaces and empty lines between", "\n  trades = trade sync: * written ;;\r\n rewards= reward=done  "],
  ])("are pairs of name and pattern %s", (_what, text) => {
    expect(parseSyncSteps(text)).toEqual(two);
  });

  it.each([
    ["no pattern", "trades", /expected name=pattern/],
    ["an empty pattern", "trades=", /expected name=pattern/],
    ["an empty name", "=x", /expected name=pattern/],
    ["a name with a space", "my trades=x", /expected name=pattern.*"my trades=x"/],
    ["a pattern of wildcards alone", "trades=**", /step "trades": a pattern .* not all of them \*/],
    ["a long pattern", `trades=${"x".repeat(201)}`, /at most 200 characters/],
    ["a name twice", "a=x;b=y;a=z", /step "a" stands twice/],
    ["seventeen steps", Array.from({ length: 17 }, (_, n) => `s${n}=x`).join(";"), /17 steps; at most 16/],
  ])("with %s are refused", (_what, text, message) => {
    expect(() => parseSyncSteps(text)).toThrow(message);
  });
});

describe("a line shows a step", () => {
  const line = "12:00 trade sync: 117 trades written in 3 pages";
  it.each([
    ["trade sync", true],
    ["trade sync: * trades written", true],
    ["*written*", true],
    ["sync*sync", false],
    ["written*trades", false],
    ["Trade sync", false],
    ["pages.", false],
    ["a+b(c", false],
  ])("%s: %s", (pattern, shows) => {
    expect(showsStep(line, { name: "s", pattern })).toBe(shows);
  });

  it("in time that grows with the line alone, however many wildcards there are", () => {
    const pattern = "*a".repeat(99);
    expect(showsStep("a".repeat(4_000).replace(/.$/, "b"), { name: "s", pattern: `${pattern}*c` })).toBe(false);
  });
});
