import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeUtf8, parseForeignJson } from "../../functions/core/json.ts";
import { invalid } from "./support/json-invalid.ts";
import { undecided } from "./support/json-undecided.ts";
import { valid } from "./support/json-valid.ts";
import { expectGoodTrigger, startVictim, type Victim } from "./support/victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim();
});
afterAll(() => victim?.stop());

const event = {
  "ce-specversion": "1.0",
  "ce-id": "1",
  "ce-source": "/s",
  "ce-type": "internal.sync-trigger.requested.v1",
};
const envelope = '"specversion":"1.0","id":"1","source":"/s","type":"com.example.other"';
const surrounded = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(`{${envelope},"data":`), Buffer.from(text as string), Buffer.from("}")]);

/** The ways in which JSON comes: a body, the data of a binary event, the data within a structured one. */
const doors: Record<string, (text: string | Buffer) => RequestInit> = {
  "a body": (text) => ({ headers: { "content-type": "application/json" }, body: Buffer.from(text as string) }),
  "a binary event's data": (text) => ({
    headers: { ...event, "content-type": "application/json" },
    body: Buffer.from(text as string),
  }),
  "a structured event's data": (text) => ({
    headers: { "content-type": "application/cloudevents+json" },
    body: surrounded(text),
  }),
};

async function statusOf(init: RequestInit): Promise<number> {
  const answer = await fetch(`${victim.url}/trigger-sync`, { method: "POST", ...init });
  await answer.arrayBuffer();
  return answer.status;
}

const parse = (text: string | Buffer) => parseForeignJson(decodeUtf8(Buffer.from(text as string)));

describe("parseForeignJson", () => {
  test.each(valid)("takes %s", (_what, text) => {
    expect(() => parse(text)).not.toThrow();
  });

  test.each(invalid)("refuses %s", (_what, text) => {
    expect(() => parse(text)).toThrow(Error);
  });

  test.each(undecided)("takes or refuses %s", (_what, text) => {
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
    }
  });

  test("takes what is nested as deep as it may be, and nothing deeper", () => {
    const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${"]}".repeat(depth / 2)}`;
    expect(() => parse(nested(64))).not.toThrow();
    expect(() => parse(nested(66))).toThrow("over 64 deep");
  });
});

describe.each(Object.entries(doors))("as %s", (door, toInit) => {
  test("what is JSON is read: a request, or refused as none", async () => {
    const wrong: string[] = [];
    for (const [what, text] of valid) {
      const status = await statusOf(toInit(text));
      const allowed = door === "a structured event's data" ? [202] : [200, 202, 422];
      if (!allowed.includes(status)) wrong.push(`${what}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  test("what is no JSON is refused with 400", async () => {
    const wrong: string[] = [];
    for (const [what, text] of invalid) {
      const status = await statusOf(toInit(text));
      // An empty text with its surroundings, and what ends the envelope early, are other texts than themselves.
      if (status !== 400) wrong.push(`${what}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  test("what may be JSON or not is answered all the same", async () => {
    const wrong: string[] = [];
    for (const [what, text] of undecided) {
      const status = await statusOf(toInit(text));
      if (![200, 202, 400, 413, 422].includes(status)) wrong.push(`${what}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });
});

test("afterwards a good request works", () => expectGoodTrigger(victim));

test("every kind has its cases", () => {
  expect(valid.length).toBeGreaterThanOrEqual(75);
  expect(invalid.length).toBeGreaterThanOrEqual(190);
  expect(undecided.length).toBeGreaterThanOrEqual(25);
});
