import { describe, expect, it } from "vitest";
import type { ReceivedEvent } from "../../functions/core/cloudevent.ts";
import {
  type Key,
  keyDigest,
  keyOfEvent,
  keyOfHttpRequest,
  pingEventType,
  requestDigest,
} from "../../functions/core/key.ts";
import { faultOf } from "../support/fault-of.ts";

const cronJob = { namespace: "kraken", name: "kraken-sync" };

describe("the key of a plain HTTP request", () => {
  it.each([
    ["bare and quoted", "a-1", '"a-1"'],
    ["with spaces", "a b", '"a b"'],
    ["with a quote inside", 'a"b', '"a\\"b"'],
    ["with a backslash", "a\\b", '"a\\\\b"'],
    ["255 characters long", "x".repeat(255), `"${"x".repeat(255)}"`],
  ])("is the same %s", (_what, bare, quoted) => {
    expect(keyOfHttpRequest(bare, "r")).toEqual({ kind: "http", parts: [bare] });
    expect(keyOfHttpRequest(quoted, "r")).toEqual({ kind: "http", parts: [bare] });
  });

  it.each([
    ["empty", ""],
    ["empty in quotes", '""'],
    ["256 characters long", "x".repeat(256)],
    ["256 characters long in quotes", `"${"x".repeat(256)}"`],
    ["not ASCII", "schlüssel"],
    ["with a control character", "a\tb"],
  ])("that is %s is refused with 400, saying what is allowed", async (_what, header) => {
    expect(await faultOf(() => keyOfHttpRequest(header, "r"))).toEqual({
      code: "malformed-request",
      status: 400,
      message: "Idempotency-Key: 1 to 255 printable ASCII characters, quoted or bare",
      headers: {},
    });
  });

  it("is random without a header", () => {
    expect(keyOfHttpRequest(undefined, "r")).toEqual({ kind: "random", parts: ["r"] });
  });
});

describe("the key of an event", () => {
  const event: ReceivedEvent = { specversion: "1.0", id: "1", source: "/s", type: "t", time: "2026-01-02T03:04:05Z" };
  const ping = { ...event, type: pingEventType };
  const digestOf = (of: ReceivedEvent) => keyDigest(cronJob, keyOfEvent(of));

  it("is its source and id, whatever else changes", () => {
    expect(keyOfEvent(event)).toEqual({ kind: "event", parts: ["/s", "1"] });
    expect(digestOf({ ...event, type: "other", time: "2027-01-01T00:00:00Z", data: 1, subject: "x" })).toBe(
      digestOf(event),
    );
  });

  it.each([
    ["id", "2"],
    ["source", "/t"],
  ])("is another for another %s", (name, value) => {
    expect(digestOf({ ...event, [name]: value })).not.toBe(digestOf(event));
  });

  it.each([
    ["another id", { id: "2" }],
    ["another second", { time: "2026-01-02T03:04:59.999Z" }],
    ["a leap second of that minute", { time: "2026-01-02T03:04:60Z" }],
    ["another offset", { time: "2026-01-02T04:04:05+01:00" }],
    ["lower case", { time: "2026-01-02t03:04:05z" }],
  ])("of a ping is the same for %s of its minute", (_what, more) => {
    expect(digestOf({ ...ping, ...more })).toBe(digestOf(ping));
  });

  it.each([
    ["the minute before", { time: "2026-01-02T03:03:59.999Z" }],
    ["the minute after", { time: "2026-01-02T03:05:00Z" }],
    ["a leap second of another minute", { time: "2016-12-31T23:59:60Z" }],
    ["another source", { source: "/t" }],
  ])("of a ping is another for %s", (_what, more) => {
    expect(digestOf({ ...ping, ...more })).not.toBe(digestOf(ping));
  });

  it("of a ping without time is its source and id", () => {
    const { time: _, ...timeless } = ping;
    expect(keyOfEvent(timeless)).toEqual({ kind: "event", parts: ["/s", "1"] });
  });
});

describe("the key digest", () => {
  const digest = (kind: Key["kind"], ...parts: string[]) => keyDigest(cronJob, { kind, parts });

  it("is SHA-256 over the version, the CronJob, the kind and the parts, each behind its length in bytes", () => {
    // printf '2:v16:kraken11:kraken-sync4:http3:\xc3\xbcx' | sha256sum
    expect(digest("http", "üx")).toBe("a0027777bf08b4b6a1ca15d6a70a1faf630202afe509420ec79488daf65b5113");
  });

  it.each<[string, Key["kind"], string[], Key["kind"], string[]]>([
    ["a part moves over to the next", "event", ["a", "bc"], "event", ["ab", "c"]],
    ["a separator stands in a part", "event", ["a:1", "b"], "event", ["a", "1:b"]],
    ["a length stands in a part", "event", ["1:a", "b"], "event", ["", "1:a1:b"]],
    ["two parts are joined", "event", ["a", "b"], "event", ["ab"]],
    ["an empty part is added", "event", ["a"], "event", ["a", ""]],
    ["HTTP meets an event", "http", ["a", "b"], "event", ["a", "b"]],
    ["HTTP meets a random one", "http", ["a"], "random", ["a"]],
    ["an event meets a ping", "event", ["/s", "29459284"], "ping", ["/s", "29459284"]],
    ["upper meets lower case", "http", ["A"], "http", ["a"]],
    ["one form of ü meets the other", "event", ["/s", "\u00fc"], "event", ["/s", "u\u0308"]],
  ])("differs when %s", (_what, kind, parts, otherKind, otherParts) => {
    expect(digest(kind, ...parts)).not.toBe(digest(otherKind, ...otherParts));
  });

  it("differs between CronJobs and namespaces, also where their names run together", () => {
    const key: Key = { kind: "http", parts: ["a"] };
    const refs = [
      ["a", "b"],
      ["b", "a"],
      ["ab", ""],
      ["", "ab"],
      ["a", "bc"],
      ["ab", "c"],
    ];
    const digests = refs.map(([namespace = "", name = ""]) => keyDigest({ namespace, name }, key));
    expect(new Set(digests).size).toBe(refs.length);
  });
});

describe("the request digest", () => {
  it("differs by policy and by age, and tells no age from the age 0", () => {
    const requests = [
      { onOverlap: "allow" },
      { onOverlap: "forbid" },
      { onOverlap: "allow", ifOlderThanMs: 0 },
      { onOverlap: "allow", ifOlderThanMs: 1 },
      { onOverlap: "forbid", ifOlderThanMs: 1 },
    ];
    expect(new Set(requests.map(requestDigest)).size).toBe(requests.length);
  });

  it("is the same for the same request", () => {
    expect(requestDigest({ onOverlap: "allow", ifOlderThanMs: undefined })).toBe(requestDigest({ onOverlap: "allow" }));
    expect(requestDigest({ onOverlap: "allow" })).toMatch(/^[0-9a-f]{64}$/);
  });
});
