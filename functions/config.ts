import { type SuspendedPolicy, suspendedPolicies } from "./core/decide.ts";
import { durationForm, parseDurationMs } from "./core/duration.ts";
import { type OverlapPolicy, overlapPolicies } from "./core/request.ts";
import { parseSyncSteps, type SyncStep } from "./core/sync-steps.ts";

/** The settings, checked. Durations in ms. */
export type Config = {
  cronJobName: string;
  /** undefined: the namespace of our own pod, or of the kubeconfig's context. */
  cronJobNamespace: string | undefined;
  logLevel: string;
  port: number;
  overlapPolicy: OverlapPolicy;
  suspendedPolicy: SuspendedPolicy;
  /** undefined: keys are remembered only as long as their Jobs. */
  dedupeWindowMs: number | undefined;
  dedupeMaxKeys: number;
  replyEvents: "off" | "on";
  kubernetesEvents: "off" | "on";
  authMode: AuthMode;
  authTokenDirectory: string;
  authAudience: string;
  /** undefined: nobody. */
  authTriggerSubjects: string[] | undefined;
  authReadSubjects: string[] | undefined;
  requirePolicy: "false" | "true";
  bodyLimitBytes: number;
  apiTimeoutMs: number;
  triggerTimeoutMs: number;
  requestTimeoutS: number;
  receiveTimeoutMs: number;
  keepAliveTimeoutMs: number;
  maxInFlight: number;
  /** undefined: none. */
  syncSteps: SyncStep[] | undefined;
  logLimitBytes: number;
};

/** A setting: where it goes in Config, what it means (README's table has the same), its default and its parser. */
type Setting<T> = {
  key?: keyof Config;
  about: string;
  /** As it would stand in the environment; undefined with `required: false` means "no value". */
  fallback?: string;
  required?: boolean;
  /** The value of a text. Throws an Error whose message says what is allowed. */
  parse(text: string): T;
};

const authModes = ["none", "token", "jwt", "token,jwt"] as const;
type AuthMode = (typeof authModes)[number];
const logLevels = ["debug", "info", "warn", "error"] as const;
const dnsLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

type SettingValue = string | number | string[] | SyncStep[];

/** Every setting by its environment name. */
export const SETTINGS: Record<string, Setting<SettingValue>> = {
  CRONJOB_NAME: {
    key: "cronJobName",
    about: "the CronJob to run",
    required: true,
    parse: matching(
      new RegExp(`^(?=.{1,52}$)${dnsLabel}(\\.${dnsLabel})*$`),
      "a CronJob's name (DNS-1123, at most 52)",
    ),
  },
  CRONJOB_NAMESPACE: {
    key: "cronJobNamespace",
    about: "its namespace",
    parse: matching(new RegExp(`^(?=.{1,63}$)${dnsLabel}$`), "a namespace's name (DNS-1123 label, at most 63)"),
  },
  LOG_LEVEL: { key: "logLevel", about: "least severe line that is logged", fallback: "info", parse: oneOf(logLevels) },
  PORT: { key: "port", about: "TCP port to listen on", fallback: "8080", parse: wholeNumber(0, 65_535) },
  OVERLAP_POLICY: {
    key: "overlapPolicy",
    about: "what a trigger does while a Job is unfinished",
    fallback: "allow",
    parse: oneOf(overlapPolicies),
  },
  SUSPENDED_POLICY: {
    key: "suspendedPolicy",
    about: "what a trigger does while the CronJob is suspended",
    fallback: "allow",
    parse: oneOf(suspendedPolicies),
  },
  DEDUPE_WINDOW: {
    key: "dedupeWindowMs",
    about: "how long a key is remembered, whatever happens to its Job",
    parse: duration(60_000, 90 * 24 * 3_600_000),
  },
  DEDUPE_MAX_KEYS: {
    key: "dedupeMaxKeys",
    about: "most keys remembered at a time",
    fallback: "2000",
    parse: wholeNumber(1, 3_000),
  },
  REPLY_EVENTS: {
    key: "replyEvents",
    about: "answer events with an event about the outcome",
    fallback: "off",
    parse: oneOf(["off", "on"]),
  },
  KUBERNETES_EVENTS: {
    key: "kubernetesEvents",
    about: "tell of each manual run by a Kubernetes Event on the CronJob",
    fallback: "off",
    parse: oneOf(["off", "on"]),
  },
  AUTH_MODE: {
    key: "authMode",
    about: "how callers show who they are: `none`, `token`, `jwt` or `token,jwt`",
    fallback: "none",
    parse: oneOf(authModes),
  },
  AUTH_TOKEN_DIRECTORY: {
    key: "authTokenDirectory",
    about: "directory whose files hold a static token each (a mounted Secret)",
    fallback: "/etc/sync-trigger/tokens",
    parse: matching(/^\/./, "an absolute path"),
  },
  AUTH_AUDIENCE: {
    key: "authAudience",
    about: "audience that a JWT must be for",
    fallback: "sync-trigger",
    parse: matching(/^\S+$/, "a word"),
  },
  AUTH_TRIGGER_SUBJECTS: {
    key: "authTriggerSubjects",
    about: "who may trigger, separated by commas: `token:FILE` or a JWT's `sub`",
    parse: list,
  },
  AUTH_READ_SUBJECTS: {
    key: "authReadSubjects",
    about: "who may read Jobs, logs, metrics and the API description",
    parse: list,
  },
  REQUIRE_POLICY: {
    key: "requirePolicy",
    about: "`true`: no trigger unless the clone-only policy is seen to be enforced",
    fallback: "false",
    parse: oneOf(["false", "true"]),
  },
  BODY_LIMIT_BYTES: {
    key: "bodyLimitBytes",
    about: "largest request body, bytes",
    fallback: "65536",
    parse: wholeNumber(1_024, 1_048_576),
  },
  API_TIMEOUT_MS: {
    key: "apiTimeoutMs",
    about: "deadline of one call to the API server, ms",
    fallback: "4000",
    parse: wholeNumber(100, 10_000),
  },
  TRIGGER_TIMEOUT_MS: {
    key: "triggerTimeoutMs",
    about: "deadline of a whole trigger, ms",
    fallback: "13000",
    parse: wholeNumber(500, 14_000),
  },
  REQUEST_TIMEOUT_S: {
    key: "requestTimeoutS",
    about: "`timeoutSeconds` of the Knative Service, s; a streamed log ends 10 s earlier",
    fallback: "300",
    parse: wholeNumber(15, 3_600),
  },
  RECEIVE_TIMEOUT_MS: {
    key: "receiveTimeoutMs",
    about: "time in which a request must have come whole, ms; its headers have half of it",
    fallback: "30000",
    parse: wholeNumber(300, 300_000),
  },
  KEEP_ALIVE_TIMEOUT_MS: {
    key: "keepAliveTimeoutMs",
    about: "how long an idle connection is kept, ms; under Knative more than queue-proxy's 90 s",
    fallback: "95000",
    parse: wholeNumber(500, 600_000),
  },
  MAX_IN_FLIGHT: {
    key: "maxInFlight",
    about: "most requests at work at a time; triggers, reads and held reads (waits, logs) are counted apart",
    fallback: "256",
    parse: wholeNumber(1, 10_000),
  },
  SYNC_STEPS: {
    key: "syncSteps",
    about:
      "steps to look for in the log: `name=pattern` pairs, one a line or separated by `;`, `*` stands for anything",
    parse: parseSyncSteps,
  },
  LOG_LIMIT_BYTES: {
    key: "logLimitBytes",
    about: "most of a log that one answer holds, bytes",
    fallback: "268435456",
    parse: wholeNumber(65_536, 1_099_511_627_776),
  },
};

/** Every bad setting at once; `problems` has a line for each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`bad settings:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** Reads the settings from an environment; an empty value counts as unset. Throws a ConfigError. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const config: Record<string, SettingValue | undefined> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const text = env[name] || setting.fallback;
    if (text === undefined && setting.required) problems.push(`${name}: not set; it is required (${setting.about})`);
    if (text === undefined) continue;
    try {
      const value = setting.parse(text);
      if (setting.key) config[setting.key] = value;
    } catch (error) {
      problems.push(`${name}=${JSON.stringify(text.slice(0, 100))}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config as unknown as Config;
}

function matching(pattern: RegExp, what: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new Error(`expected ${what}`);
    return text;
  };
}

function oneOf(allowed: readonly string[]) {
  return (text: string): string => {
    if (!allowed.includes(text)) throw new Error(`expected ${allowed.join(", ")}`);
    return text;
  };
}

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new Error(`expected a whole number from ${least} to ${most}`);
    return value;
  };
}

function list(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function duration(leastMs: number, mostMs: number) {
  return (text: string): number => {
    const valueMs = parseDurationMs(text);
    if (valueMs === undefined || valueMs < leastMs || valueMs > mostMs) {
      const seconds = (ms: number) => `${ms / 1_000}s`;
      throw new Error(`expected ${durationForm}, from ${seconds(leastMs)} to ${seconds(mostMs)}`);
    }
    return valueMs;
  };
}
