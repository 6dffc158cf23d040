import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig, SETTINGS } from "../functions/config.ts";

const least = { CRONJOB_NAME: "sync" };

/** Of each setting some good texts with their values, and some bad ones; a list of any words has none. */
const rows: Record<string, { good: [text: string, value: unknown][]; bad: string[] }> = {
  CRONJOB_NAME: {
    good: [
      ["a", "a"],
      ["kraken-sync.v2", "kraken-sync.v2"],
      ["x".repeat(52), "x".repeat(52)],
    ],
    bad: ["Sync", "-sync", "sync-", "a..b", "a.-b", "a b", "a/b", "ü", "x".repeat(53), "sync\n"],
  },
  CRONJOB_NAMESPACE: {
    good: [
      ["kraken", "kraken"],
      ["x".repeat(63), "x".repeat(63)],
    ],
    bad: ["Kraken", "a.b", "-a", "a-", "x".repeat(64), "../default", " "],
  },
  LOG_LEVEL: {
    good: [
      ["debug", "debug"],
      ["error", "error"],
    ],
    bad: ["INFO", "trace", "silent", "30"],
  },
  PORT: {
    good: [
      ["0", 0],
      ["65535", 65_535],
    ],
    bad: ["65536", "-1", "http", "80.5", "0x50", "8e3", " 80", "99999999999999999999"],
  },
  OVERLAP_POLICY: {
    good: [
      ["forbid", "forbid"],
      ["inherit", "inherit"],
    ],
    bad: ["Forbid", "replace", "none"],
  },
  SUSPENDED_POLICY: {
    good: [
      ["skip", "skip"],
      ["reject", "reject"],
    ],
    bad: ["forbid", "true"],
  },
  DEDUPE_WINDOW: {
    good: [
      ["60s", 60_000],
      ["26h", 93_600_000],
      ["90d", 7_776_000_000],
    ],
    bad: ["59s", "91d", "1 day", "3600", "0s"],
  },
  DEDUPE_MAX_KEYS: {
    good: [
      ["1", 1],
      ["3000", 3_000],
    ],
    bad: ["0", "3001", "many"],
  },
  REPLY_EVENTS: { good: [["on", "on"]], bad: ["true", "On", "1"] },
  KUBERNETES_EVENTS: { good: [["on", "on"]], bad: ["true", "On", "1"] },
  AUTH_MODE: {
    good: [
      ["token", "token"],
      ["token,jwt", "token,jwt"],
    ],
    bad: ["basic", "jwt,token", "Token"],
  },
  AUTH_TOKEN_DIRECTORY: { good: [["/run/tokens", "/run/tokens"]], bad: ["tokens", "./tokens", "~/tokens"] },
  AUTH_AUDIENCE: { good: [["https://sync.example.com", "https://sync.example.com"]], bad: ["two words", " "] },
  AUTH_TRIGGER_SUBJECTS: {
    good: [
      ["token:page", ["token:page"]],
      [" token:page,, system:serviceaccount:n:a ,", ["token:page", "system:serviceaccount:n:a"]],
    ],
    bad: [],
  },
  AUTH_READ_SUBJECTS: { good: [["a,b", ["a", "b"]]], bad: [] },
  REQUIRE_POLICY: { good: [["true", "true"]], bad: ["yes", "1", "TRUE"] },
  BODY_LIMIT_BYTES: {
    good: [
      ["1024", 1_024],
      ["1048576", 1_048_576],
    ],
    bad: ["1023", "1048577", "64k", "1_024"],
  },
  API_TIMEOUT_MS: {
    good: [
      ["100", 100],
      ["10000", 10_000],
    ],
    bad: ["99", "10001", "4s", "Infinity"],
  },
  TRIGGER_TIMEOUT_MS: {
    good: [
      ["500", 500],
      ["14000", 14_000],
    ],
    bad: ["499", "14001", "15s"],
  },
  REQUEST_TIMEOUT_S: {
    good: [
      ["15", 15],
      ["3600", 3_600],
    ],
    bad: ["14", "3601", "5m"],
  },
  RECEIVE_TIMEOUT_MS: {
    good: [
      ["300", 300],
      ["300000", 300_000],
    ],
    bad: ["299", "300001", "30s"],
  },
  KEEP_ALIVE_TIMEOUT_MS: {
    good: [
      ["500", 500],
      ["600000", 600_000],
    ],
    bad: ["499", "600001", "95s"],
  },
  MAX_IN_FLIGHT: {
    good: [
      ["1", 1],
      ["10000", 10_000],
    ],
    bad: ["0", "10001", "all"],
  },
  SYNC_STEPS: {
    good: [
      ["trades=synced * trades", [{ name: "trades", pattern: "synced * trades" }]],
      ["a=1;b=2\nc = 3 ", ["a1", "b2", "c3"].map(([name, pattern]) => ({ name, pattern }))],
    ],
    bad: ["trades", "=x", "a=*", "a=1;a=2", "a b=1", `a=${"x".repeat(201)}`],
  },
  LOG_LIMIT_BYTES: { good: [["65536", 65_536]], bad: ["65535", "1GiB", "1099511627777"] },
};

/** Each setting that can be bad, with a bad text. */
const allBad = Object.fromEntries(
  Object.keys(SETTINGS).flatMap((name) => rows[name]?.bad.slice(0, 1).map((text) => [name, text]) ?? []),
);

function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

it("has rows for each setting here, and no others", () => {
  expect(Object.keys(rows).sort()).toEqual(Object.keys(SETTINGS).sort());
});

describe.each(Object.entries(rows))("%s", (name, { good, bad }) => {
  const key = SETTINGS[name]?.key;

  it.each(good)("may be %j", (text, value) => {
    const config = loadConfig({ ...least, [name]: text });
    if (key) expect(config[key]).toEqual(value);
  });

  it.each(bad)("must not be %j, which is named with what is allowed, alone", (text) => {
    const problems = problemsOf({ ...least, [name]: text });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}="`));
    expect(problems[0]?.split("\n"), "one line").toHaveLength(1);
    expect(problems[0]?.length, "a sentence").toBeLessThan(350);
  });

  it("that is empty counts as unset", () => {
    const { [name]: _, ...others } = least as Record<string, string>;
    if (SETTINGS[name]?.required) expect(problemsOf({ ...others, [name]: "" })).toEqual(problemsOf(others));
    else expect(loadConfig({ ...least, [name]: "" })).toEqual(loadConfig(least));
  });
});

describe("loadConfig", () => {
  it("gives every setting its default", () => {
    expect(loadConfig(least)).toEqual({
      cronJobName: "sync",
      kubernetesEvents: "off",
      logLevel: "info",
      port: 8080,
      overlapPolicy: "allow",
      suspendedPolicy: "allow",
      dedupeMaxKeys: 2_000,
      replyEvents: "off",
      bodyLimitBytes: 65_536,
      apiTimeoutMs: 4_000,
      triggerTimeoutMs: 13_000,
      requestTimeoutS: 300,
      logLimitBytes: 268_435_456,
      receiveTimeoutMs: 30_000,
      keepAliveTimeoutMs: 95_000,
      maxInFlight: 256,
      requirePolicy: "false",
      authMode: "none",
      authTokenDirectory: "/etc/sync-trigger/tokens",
      authAudience: "sync-trigger",
    });
  });

  it("names what is required and not set", () => {
    expect(problemsOf({})).toEqual(["CRONJOB_NAME: not set; it is required (the CronJob to run)"]);
  });

  it("names all bad settings at once, in the table's order", () => {
    const names = problemsOf(allBad).map((problem) => problem.replace(/=.*/s, ""));
    expect(names).toEqual(Object.keys(allBad));
    expect(names.length).toBeGreaterThan(Object.keys(SETTINGS).length - 5);
  });

  it("passes over what is no setting of ours", () => {
    expect(loadConfig({ ...least, PATH: "/bin", cronjob_name: "x", constructor: "y" })).toEqual(loadConfig(least));
  });

  it("ends a trigger within the 15 s that callers are promised, whatever the settings", () => {
    const { triggerTimeoutMs } = loadConfig({ ...least, TRIGGER_TIMEOUT_MS: "14000" });
    expect(triggerTimeoutMs).toBeLessThan(15_000);
    expect(problemsOf({ ...least, TRIGGER_TIMEOUT_MS: "15000" })).toHaveLength(1);
  });
});
