import { describe, expect, it } from "vitest";
import { FAULTS, Fault, type FaultCode, toFault } from "../functions/errors.ts";
import { toEventProblem, toProblem } from "../functions/problem.ts";

const codes = Object.keys(FAULTS) as FaultCode[];
/** The codes that leave a detail the most and the least room. */
const extremes = codes
  .toSorted((a, b) => FAULTS[a].meaning.length + a.length - FAULTS[b].meaning.length - b.length)
  .filter((_, index) => index === 0 || index === codes.length - 1);

describe("a problem document (RFC 9457)", () => {
  it.each(codes)("of %s has the members of the catalogue, the detail and the request's id", (code) => {
    const { status, meaning } = FAULTS[code];
    expect(toProblem(new Fault(code, "what happened"), "id-1")).toEqual({
      type: `urn:sync-trigger:${code}`,
      title: meaning,
      status,
      detail: "what happened",
      instance: "id-1",
    });
  });

  it("has the fault's own members beside them", () => {
    const fault = new Fault("refused", "Job a is unfinished", { members: { outcome: "refused", job: null } });
    expect(toProblem(fault, "id-1")).toMatchObject({ status: 409, outcome: "refused", job: null });
  });

  it("of an unexpected error says nothing of it", () => {
    const text = JSON.stringify(toProblem(toFault(new Error("password is hunter2")), "id-1"));
    expect(JSON.parse(text)).toMatchObject({ status: 503, type: "urn:sync-trigger:internal-error" });
    expect(text).not.toContain("hunter2");
  });
});

describe("a problem for an event sender", () => {
  const details: [what: string, detail: string][] = [
    ["nothing", ""],
    ["a short sentence", "the data is no JSON"],
    ["letters of other alphabets", "Schlüssel für 日本"],
    ["emoji", "😀".repeat(50)],
    ["300 emoji", "😀".repeat(300)],
    ["line breaks", "a\r\nb\nc\u2028d\u2029e\u0085f"],
    ["control characters", "\u0000\u0007\u001b[31m\u007f"],
    ["quotes and backslashes", '"\\'.repeat(400)],
    ["lone surrogates", "\ud83d \ude00"],
    ["tabs and spaces", " \t ".repeat(400)],
    ["10 kB of letters", "x".repeat(10_000)],
    ["40 kB of emoji", "😀".repeat(10_000)],
    ["an emoji on each place where the cut can fall", `${"x".repeat(470)}${"😀".repeat(100)}`],
  ];

  it.each(details)("is one line of ASCII under 700 bytes, still JSON, with %s as its detail", (_what, detail) => {
    for (const code of extremes) {
      for (const id of ["i", "i".repeat(128)]) {
        const text = toEventProblem(toProblem(new Fault(code, detail), id));
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        expect(text.length).toBeLessThan(700);
        const { status, meaning } = FAULTS[code];
        expect(JSON.parse(text)).toMatchObject({
          type: `urn:sync-trigger:${code}`,
          title: meaning,
          status,
          instance: id,
          detail: expect.any(String),
        });
      }
    }
  });

  it("keeps as much of the detail as fits, from its beginning", () => {
    const text = toEventProblem(toProblem(new Fault("malformed-event", `begin ${"x".repeat(5_000)}`), "id-1"));
    const { detail } = JSON.parse(text) as { detail: string };
    expect(detail).toMatch(/^begin x{100,}$/);
    expect(text.length).toBe(699);
  });

  it("keeps a detail that fits whole, with white space as single spaces", () => {
    const text = toEventProblem(toProblem(new Fault("malformed-event", "a\r\n b\t\tü 😀"), "id-1"));
    expect(JSON.parse(text).detail).toBe("a b ü 😀");
  });

  it("never cuts through one of two halves of a character", () => {
    for (let offset = 0; offset < 12; offset += 1) {
      const fault = new Fault("malformed-event", `${"x".repeat(offset)}${"😀".repeat(500)}`);
      const { detail } = JSON.parse(toEventProblem(toProblem(fault, "id-1"))) as { detail: string };
      expect(detail.isWellFormed(), `cut after ${detail.length} of offset ${offset}`).toBe(true);
    }
  });
});
