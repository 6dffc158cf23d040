import { parseArgs } from "node:util";
import type { Promised } from "./case.ts";
import type { JobKind } from "./cronjob.ts";
import type { RunOptions } from "./run-history.ts";

/** The command's arguments: each seed is run with each policy. */
export type HistoryArguments = {
  seeds: number[];
  policies: Promised["policy"][];
  options: Omit<RunOptions, "seed" | "policy" | "jobs" | "file" | "apiServer">;
  /** undefined: such as suits the policy. */
  jobs: JobKind | undefined;
};

/** Usage, with what holds when nothing is said. */
export const usage = `npm run test:history -- [options]
  --seed N            may be given again and again (1)
  --policy P          allow, forbid or join; likewise (all)
  --triggers N        how many deliveries (1000)
  --keys N            of how many keys (300)
  --minutes N         spread over how long (4)
  --trouble-seconds N how often a process is killed or frozen, on average (15)
  --freeze-seconds N  how long a process is frozen at most (60)
  --api-restarts N    how often the API server is ended and started again; not on a cluster of your own (2)
  --no-window         without DEDUPE_WINDOW: a key is known only as long as its Job exists
  --jobs KIND         idle: never end; written: end when the run says so; pods: real ones (idle for allow, else written)`;

/** Reads the arguments. Throws an Error that says what is wrong. */
export function parseHistoryArguments(args: string[]): HistoryArguments {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string", multiple: true, default: ["1"] },
      policy: { type: "string", multiple: true, default: ["allow", "forbid", "join"] },
      triggers: { type: "string", default: "1000" },
      keys: { type: "string", default: "300" },
      minutes: { type: "string", default: "4" },
      "trouble-seconds": { type: "string", default: "15" },
      "freeze-seconds": { type: "string", default: "60" },
      "api-restarts": { type: "string", default: "2" },
      "no-window": { type: "boolean", default: false },
      jobs: { type: "string" },
    },
  });
  return {
    seeds: values.seed.map((text) => toNumber("seed", text)),
    policies: values.policy.map((text) => toOneOf("policy", text, ["allow", "forbid", "join"])),
    jobs: values.jobs === undefined ? undefined : toOneOf<JobKind>("jobs", values.jobs, ["idle", "written", "pods"]),
    options: {
      triggers: toNumber("triggers", values.triggers),
      keys: toNumber("keys", values.keys),
      spanMs: toNumber("minutes", values.minutes) * 60_000,
      longestFreezeMs: toNumber("freeze-seconds", values["freeze-seconds"]) * 1_000,
      apiRestarts: toNumber("api-restarts", values["api-restarts"]),
      isRemembered: !values["no-window"],
      troubleEveryMs: toNumber("trouble-seconds", values["trouble-seconds"]) * 1_000,
      faultShare: 0.1,
      removedShare: 0.4,
      ownPolicyShare: 0.2,
      reusedShare: 0.06,
      apiTimeoutMs: 4_000,
      triggerTimeoutMs: 13_000,
    },
  };
}

function toNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new Error(`--${name} ${text}: expected a number`);
  return value;
}

function toOneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (!found) throw new Error(`--${name} ${text}: expected ${allowed.join(", ")}`);
  return found;
}
