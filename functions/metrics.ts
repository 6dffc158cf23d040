import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { isJsonObject } from "./core/json.ts";
import { ApiError } from "./kubernetes/api-error.ts";
import { type Cluster, RIGHTS } from "./kubernetes/cluster.ts";

/** A request that was answered. `outcome` is the trigger's, else the fault's code, else "ok"; `cause`: why no Job was made. */
type AnsweredRequest = { door: string; outcome: string; cause: string | undefined; status: number; durationS: number };

/** What is counted; every label has few values, none of them a caller's. */
export type Metrics = {
  countRequest(request: AnsweredRequest): void;
  countCall(call: { verb: string; resource: string; code: number; durationS: number }): void;
  /** +1 when a request comes in, -1 when it has its answer. */
  addInFlight(delta: number): void;
  setPolicyEnforced(isEnforced: boolean): void;
  /** The CronJob's last success as we last read it, seconds since the epoch. */
  setLastSuccess(seconds: number): void;
  /** The exposition text and its media type. */
  render(): Promise<{ contentType: string; text: string }>;
};

/** Metric names, types and meanings (README's table has the same). */
export const METRICS = {
  sync_trigger_requests_total: "requests answered, by door, outcome, cause (why no Job was made) and status code",
  sync_trigger_request_duration_seconds: "time to an answer, by door",
  sync_trigger_requests_in_flight: "requests that have no answer yet",
  sync_trigger_api_requests_total: "calls to the API server, by verb, resource and status code (0: no answer)",
  sync_trigger_api_request_duration_seconds: "time of a call to the API server, by verb and resource",
  sync_trigger_policy_enforced: "1 if the clone-only policy was seen to deny, 0 if it was seen not to",
  sync_trigger_last_success_timestamp_seconds: "the CronJob's lastSuccessfulTime as last read",
} as const;

type Instruments = {
  registry: Registry;
  requests: Counter;
  durations: Histogram;
  inFlight: Gauge;
  calls: Counter;
  callDurations: Histogram;
  policy: Gauge;
  lastSuccess: Gauge;
};

/** Observations kept before prom-client is loaded; a pod that nobody scrapes never loads it before that many. */
const pendingLimit = 1_000;
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

/** Metrics whose library is loaded at the first scrape: a cold start must not wait for it. */
export function createMetrics(): Metrics {
  let instruments: Instruments | undefined;
  let loading: Promise<Instruments> | undefined;
  let pending: ((to: Instruments) => void)[] = [];

  function observe(observation: (to: Instruments) => void): void {
    if (instruments) observation(instruments);
    else pending.push(observation);
    if (pending.length > pendingLimit) void load();
  }

  function load(): Promise<Instruments> {
    loading ??= createInstruments().then((made) => {
      instruments = made;
      for (const observation of pending) observation(made);
      pending = [];
      return made;
    });
    return loading;
  }

  return {
    countRequest: ({ door, outcome, cause, status, durationS }) =>
      observe(({ requests, durations }) => {
        requests.inc({ door, outcome, ...(cause === undefined ? {} : { cause }), code: String(status) });
        durations.observe({ door }, durationS);
      }),
    countCall: ({ verb, resource, code, durationS }) =>
      observe(({ calls, callDurations }) => {
        calls.inc({ verb, resource, code: String(code) });
        callDurations.observe({ verb, resource }, durationS);
      }),
    addInFlight: (delta) => observe(({ inFlight }) => inFlight.inc(delta)),
    setPolicyEnforced: (isEnforced) => observe(({ policy }) => policy.set(isEnforced ? 1 : 0)),
    setLastSuccess: (seconds) => observe(({ lastSuccess }) => lastSuccess.set(seconds)),
    render: async () => {
      const { registry } = await load();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

async function createInstruments(): Promise<Instruments> {
  const { Counter, Gauge, Histogram, Registry } = await import("prom-client");
  const registry = new Registry();
  const options = <Name extends keyof typeof METRICS>(name: Name, labelNames: string[] = []) => ({
    ...{ name, help: METRICS[name], labelNames, registers: [registry] },
  });
  const buckets = secondsBuckets;
  return {
    registry,
    requests: new Counter(options("sync_trigger_requests_total", ["door", "outcome", "cause", "code"])),
    durations: new Histogram({ ...options("sync_trigger_request_duration_seconds", ["door"]), buckets }),
    inFlight: new Gauge(options("sync_trigger_requests_in_flight")),
    calls: new Counter(options("sync_trigger_api_requests_total", ["verb", "resource", "code"])),
    callDurations: new Histogram({
      ...options("sync_trigger_api_request_duration_seconds", ["verb", "resource"]),
      buckets,
    }),
    policy: new Gauge({ ...options("sync_trigger_policy_enforced"), aggregator: "first" }),
    lastSuccess: new Gauge(options("sync_trigger_last_success_timestamp_seconds")),
  };
}

/** The same cluster, its calls counted: one count for each call, retries of a read included in it. */
export function countCalls(cluster: Cluster, metrics: Metrics): Cluster {
  const counted = Object.entries(cluster).map(([call, run]) => [
    call,
    async (...parameters: unknown[]) => {
      const startedAtMs = performance.now();
      const { verb, resource } = RIGHTS[call as keyof Cluster];
      const count = (code: number) =>
        metrics.countCall({ verb, resource, code, durationS: (performance.now() - startedAtMs) / 1_000 });
      try {
        const result = await (run as (...parameters: unknown[]) => Promise<unknown>)(...parameters);
        count(verb === "create" ? 201 : 200);
        if (call === "getCronJob") noteLastSuccess(result, metrics);
        return result;
      } catch (error) {
        count(error instanceof ApiError ? error.failure.status : 0);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(counted) as Cluster;
}

function noteLastSuccess(cronJob: unknown, metrics: Metrics): void {
  if (!isJsonObject(cronJob) || !isJsonObject(cronJob.status)) return;
  const { lastSuccessfulTime } = cronJob.status;
  if (typeof lastSuccessfulTime === "string") metrics.setLastSuccess(Date.parse(lastSuccessfulTime) / 1_000);
}
