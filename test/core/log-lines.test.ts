import { describe, expect, it } from "vitest";
import { createLogLines } from "../../functions/core/log-lines.ts";
import { parseStampNs, toStampSecond } from "../../functions/core/log-stamp.ts";

const stamp = (n: number) => `2026-11-23T21:00:00.${String(n).padStart(9, "0")}Z`;
const noLimit = { limitBytes: Number.POSITIVE_INFINITY };

/** What comes of a log in chunks of that size. */
function takeAll(log: string, chunkBytes: number, options: Parameters<typeof createLogLines>[0] = noLimit) {
  const lines = createLogLines(options);
  const bytes = Buffer.from(log);
  const taken: string[] = [];
  for (let at = 0; at < bytes.length && !lines.isFull(); at += chunkBytes) {
    // A chunk's memory is changed, so each is a copy.
    for (const text of lines.take(Buffer.from(bytes.subarray(at, at + chunkBytes))))
      taken.push(text.toString("latin1"));
  }
  taken.push(lines.takeRest().toString("latin1"));
  return { text: Buffer.from(taken.join(""), "latin1").toString(), lines };
}

const texts = ["one", "", "drei ä 😀", "2026-11-23T21:00:00Z looks like a stamp", "x".repeat(300), "last"];
const log = texts.map((text, n) => `${stamp(n)} ${text}\n`).join("");
const chunkSizes = [1, 2, 3, 29, 30, 31, 32, 64, 333, 100_000];

describe.each(chunkSizes)("in chunks of %i bytes", (size) => {
  it("lines come whole, in order and without their stamps", () => {
    const { text, lines } = takeAll(log, size);
    expect(text).toBe(`${texts.join("\n")}\n`);
    expect(lines.lastStamp()).toBe(stamp(texts.length - 1));
  });

  it("a last line without an end comes with the rest", () => {
    expect(takeAll(log.slice(0, -1), size).text).toBe(texts.join("\n"));
  });

  it.each([0, 2, 5])("lines at or before line %i's time are left out", (n) => {
    const { text, lines } = takeAll(log, size, { ...noLimit, afterNs: parseStampNs(stamp(n)) });
    expect(text).toBe(
      texts
        .slice(n + 1)
        .map((line) => `${line}\n`)
        .join(""),
    );
    expect(lines.lastStamp()).toBe(n === 5 ? undefined : stamp(5));
  });

  it("nothing is lost when the clock is set back behind a line that counts", () => {
    const jumping = `${stamp(5)} a\n${stamp(7)} b\n${stamp(3)} c\n`;
    expect(takeAll(jumping, size, { ...noLimit, afterNs: parseStampNs(stamp(5)) }).text).toBe("b\nc\n");
  });

  it("lines without a stamp, kubelet's own, go with the line before", () => {
    const mixed = `${stamp(1)} a\nnot stamped\n${stamp(2)} b\nunable to read\n`;
    expect(takeAll(mixed, size).text).toBe("a\nnot stamped\nb\nunable to read\n");
    expect(takeAll(mixed, size, { ...noLimit, afterNs: parseStampNs(stamp(1)) }).text).toBe("b\nunable to read\n");
  });

  it("no line is cut by the limit, and the last stamp is the last whole line's", () => {
    const { text, lines } = takeAll(log, size, { limitBytes: 20 });
    expect(text).toBe("one\n\ndrei ä 😀\n".slice(0, text.length));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20);
    expect(lines.isFull()).toBe(true);
    expect(lines.lastStamp()).toBe(stamp(2));
  });
});

describe("a line longer than can be held", () => {
  const long = `${stamp(1)} ${"x".repeat(200_000)}\n${stamp(2)} b\n`;

  it.each([1_000, 65_536, 1_000_000])("comes in parts, whole, in chunks of %i bytes", (size) => {
    const { text, lines } = takeAll(long, size);
    expect(text.length).toBe(200_003);
    expect(text).toBe(`${"x".repeat(200_000)}\nb\n`);
    expect(lines.lastStamp()).toBe(stamp(2));
  });

  it("is left out whole where its time does not count", () => {
    expect(takeAll(long, 1_000, { ...noLimit, afterNs: parseStampNs(stamp(1)) }).text).toBe("b\n");
  });

  it("is given up to the limit and not begun again", () => {
    const { text, lines } = takeAll(long, 10_000, { limitBytes: 100_000 });
    expect(text.length).toBeLessThanOrEqual(100_000);
    expect([lines.isFull(), lines.lastStamp()]).toEqual([true, stamp(1)]);
  });
});

describe("a stamp", () => {
  it.each([
    ["2026-11-23T21:00:00.123456789Z", 123_456_789n],
    ["2026-11-23T22:00:00.123456789+01:00", 123_456_789n],
    ["2026-11-23T21:00:00.1Z", 100_000_000n],
    ["2026-11-23T21:00:00Z", 0n],
  ])("%s is read to the nanosecond", (text, ns) => {
    const second = BigInt(Date.parse("2026-11-23T21:00:00Z")) * 1_000_000n;
    expect(parseStampNs(text)).toBe(second + ns);
    expect(toStampSecond(second + ns)).toBe("2026-11-23T21:00:00Z");
  });

  it.each(["", "yesterday", "2026-11-23", "2026-13-23T21:00:00Z"])("%j is none", (text) => {
    expect(parseStampNs(text)).toBeUndefined();
  });
});
