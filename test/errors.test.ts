import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAULTS, Fault, toFault } from "../functions/errors.ts";

const faults = Object.entries(FAULTS);

describe("the catalogue of errors", () => {
  it.each(faults)("%s is a code in kebab-case with a sentence and a status of its own kind", (code, fault) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(fault.meaning).toMatch(/^[A-Z][^.|\n]*[^.|\s]$/);
    expect(fault.status).toBeGreaterThanOrEqual(400);
    expect(fault.status).toBeLessThan(600);
  });

  it("has each sentence once", () => {
    expect(new Set(faults.map(([, { meaning }]) => meaning)).size).toBe(faults.length);
  });

  it("has no status after which a PingSource loses its event, but the one 409 that plain HTTP alone gets", () => {
    const losing = faults.filter(([, { status }]) => [408, 409, 500].includes(status)).map(([code]) => code);
    expect(losing).toEqual(["refused"]);
  });

  // Knative's SelectiveRetry (Broker, Channel) and sdk-go's defaultRetriableErrors (PingSource), as far as we use them.
  const retriedBy: Record<number, string[]> = {
    400: ["nobody"],
    401: ["nobody"],
    403: ["nobody"],
    404: ["Broker and PingSource", "-"],
    405: ["nobody"],
    409: ["nobody"],
    413: ["nobody"],
    415: ["nobody"],
    422: ["nobody"],
    431: ["nobody"],
    501: ["-"],
    502: ["all"],
    503: ["all"],
    504: ["all"],
  };

  it.each(faults)("%s names who retries it as its status says", (_code, fault) => {
    expect(retriedBy[fault.status]).toContain(fault.retriedBy);
  });

  it("has no code that nothing answers with", () => {
    const sources = readdirSync("functions", { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && path !== "errors.ts")
      .map((path) => readFileSync(join("functions", path), "utf8"));
    const unused = Object.keys(FAULTS).filter((code) => !sources.some((source) => source.includes(`"${code}"`)));
    expect(unused).toEqual([]);
  });
});

describe("toFault", () => {
  it("gives a Fault back as it is", () => {
    const fault = new Fault("invalid-field", "reason: too long");
    expect(toFault(fault)).toBe(fault);
  });

  it.each([[new Error("secret")], ["secret"], [undefined], [{ code: "invalid-field" }]])(
    "makes an internal error of anything else, which keeps it as its cause alone",
    (thrown) => {
      const fault = toFault(thrown);
      expect(fault).toMatchObject({ name: "Fault", code: "internal-error", cause: thrown, headers: {}, members: {} });
      expect(fault.message).not.toContain("secret");
    },
  );
});
