import { describe, expect, it } from "vitest";
import { decodeEvent } from "../../functions/core/cloudevent.ts";
import { binaryEvent, structuredEvent } from "../support/events.ts";
import { faultOf } from "../support/fault-of.ts";

const longest = 2_048;
const names = ["id", "source", "type", "subject", "comexampleextension"];

describe("an event's attribute", () => {
  it.each(names)("%s may have 2,048 characters, in a header and in an envelope", (name) => {
    const value = `/${"x".repeat(longest - 1)}`;
    expect(decodeEvent(binaryEvent({ [name]: value }))).toMatchObject({ [name]: value });
    expect(decodeEvent(structuredEvent({ [name]: value }))).toMatchObject({ [name]: value });
  });

  it.each(names)("%s of more is refused, and not repeated", async (name) => {
    const value = `/${"x".repeat(longest)}`;
    for (const event of [binaryEvent({ [name]: value }), structuredEvent({ [name]: value })]) {
      expect(await faultOf(() => decodeEvent(event))).toMatchObject({
        code: "malformed-event",
        message: `attribute "${name}" is over 2048 characters`,
      });
    }
  });
});
