import { describe, expect, test } from "vitest";
import { describeDeadLetter } from "../../functions/dead-letter/print-event.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const event = { specversion: "1.0", id: "1", source: "/s", type: "t", data: { raison: "ü\n" } };

describe("an event that was given up", () => {
  test("comes whole, on one line", () => {
    const line = describeDeadLetter(JSON.stringify(event, null, 2));
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({ level: "error", msg: "dead letter", event });
  });

  test.each([
    [
      "a problem of ours, parsed",
      base64('{"status":422,"detail":"unknown field"}'),
      { status: 422, detail: "unknown field" },
    ],
    ["text as text", base64("upstream is gone"), "upstream is gone"],
    ["JSON that Knative cut off, as text", base64('{"detail":"a long one').slice(0, -2), '{"detail":"a long o'],
    ["nothing", "", ""],
  ])("names its receiver, the code and the answer: %s", (_what, knativeerrordata, answer) => {
    const failed = { ...event, knativeerrordest: "http://f", knativeerrorcode: 422, knativeerrordata };
    expect(JSON.parse(describeDeadLetter(JSON.stringify(failed)))).toMatchObject({
      ...{ receiver: "http://f", code: 422, answer },
    });
  });

  test("that is no JSON is refused", () => {
    expect(() => describeDeadLetter("{")).toThrow(SyntaxError);
  });
});
