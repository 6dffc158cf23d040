import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { jobName, jobNameOfSlot, keySlot } from "../../functions/core/job-name.ts";

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** Names of every length that a CronJob may have, with dots and dashes wherever the cut can fall. */
const cronJobNames = Array.from({ length: 52 }, (_, index) => index + 1).flatMap((length) =>
  ["a", "a.b", "a-b", "a--b", "0", "a.b-c", "1-2"].map((unit) => fill(unit, length)),
);

/** The unit again and again up to a length; the end is a letter, as DNS-1123 wants. */
function fill(unit: string, length: number): string {
  return unit
    .repeat(length)
    .slice(0, length)
    .replace(/[.-]+$/, (end) => "z".repeat(end.length));
}

const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe("a Job's name", () => {
  it.each([0, 1, 2])("is valid for every CronJob's name (key %i)", (key) => {
    for (const cronJobName of cronJobNames) {
      expect(cronJobName, "the row itself").toMatch(dns1123Subdomain);
      const name = jobName(cronJobName, digestOf(`${cronJobName} ${key}`));
      expect(name.length, name).toBeLessThanOrEqual(63);
      expect(name, "as the API server checks it").toMatch(dns1123Subdomain);
      expect(name.startsWith(cronJobName.slice(0, 40).replace(/[.-]+$/, "")), name).toBe(true);
      expect(name, "as the CronJob controller must not take it for its own").not.toMatch(/-\d+$/);
      expect(name.split("-").at(-1), "its suffix").toMatch(/^m[a-z2-7]{17}$/);
    }
  });

  it.each([
    ["a short name, whole", "sync", "sync-"],
    ["a name of 44 characters, whole", "x".repeat(44), `${"x".repeat(44)}-`],
    ["a name of 52 characters, cut", "x".repeat(52), `${"x".repeat(44)}-`],
    ["a dash at the cut", `${"x".repeat(43)}-yyyyyyy`, `${"x".repeat(43)}-m`],
    ["a dot at the cut", `${"x".repeat(43)}.yyyyyyy`, `${"x".repeat(43)}-m`],
    ["dashes before the cut", `${"x".repeat(41)}---yyyyyyy`, `${"x".repeat(41)}-m`],
    ["a name with dots, which stay", "team.sync.v1", "team.sync.v1-m"],
  ])("keeps %s", (_what, cronJobName, beginning) => {
    expect(jobName(cronJobName, digestOf("key")).startsWith(beginning)).toBe(true);
  });

  it("carries 85 bits of the digest: every one of them shows, and nothing else does", () => {
    const zeros = "0".repeat(64);
    const withBit = (bit: number) => {
      const value = 1n << BigInt(255 - bit);
      return jobName("sync", value.toString(16).padStart(64, "0"));
    };
    const names = Array.from({ length: 256 }, (_, bit) => withBit(bit)).filter(
      (name) => name !== jobName("sync", zeros),
    );
    expect(new Set(names).size).toBe(85);
  });

  it("is the same for the same key, and can be had from the record's slot alone", () => {
    for (const cronJobName of ["sync", "x".repeat(52), "a.b"]) {
      const digest = digestOf(cronJobName);
      expect(jobName(cronJobName, digest)).toBe(jobNameOfSlot(cronJobName, keySlot(digest)));
    }
    expect(jobName("sync", digestOf("1"))).not.toBe(jobName("sync", digestOf("2")));
  });

  it("differs for each of 20,000 keys", () => {
    const names = Array.from({ length: 20_000 }, (_, key) => jobName("sync", digestOf(String(key))));
    expect(new Set(names).size).toBe(names.length);
  });
});
