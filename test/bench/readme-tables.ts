import type { ResultFile } from "./result-file.ts";
import type { Result } from "./results.ts";

/** A table of README between `<!-- name -->` and `<!-- /name -->`. */
type Table = { name: string; head: string[]; rows: string[][] };

/** Programs whose name in README is another than in the results. */
const titles: Readonly<Record<string, string>> = { floor: "bare Node", fastapi: "FastAPI" };

const besideFloor = [
  "exec to ready",
  "exec to first Job",
  "CPU until first Job",
  "RSS when idle",
  "RSS under load",
  ...[1, 16, 128].flatMap((count) => {
    const at = `at ${count} connection${count === 1 ? "" : "s"}`;
    return ["Jobs", "latency p50", "latency p99", "CPU per trigger", "API requests per trigger"].map(
      (metric) => `${metric} ${at}`,
    );
  }),
  "CPU of kube-apiserver and etcd per trigger at 16 connections",
  "CPU of the sender per trigger at 16 connections",
];

/** What README shows of a result file, and nothing that is not in it: its numbers are here, and none in its sentences. */
export function toReadmeTables({ results, parts }: Pick<ResultFile, "results" | "parts">): Table[] {
  const of = (name: string, metric: string): Result => {
    const found = results.find((row) => row.name === name && row.metric === metric);
    if (!found) throw new Error(`no result for ${name}: ${metric}`);
    return found;
  };
  const own = (metric: string) => of("sync-trigger", metric);
  const show = ({ median, unit }: Result) => `${median} ${unit}`.trim();
  const besideOne = (metric: string, peer: string) => {
    const row = of(peer, metric);
    return [metric, show(own(metric)), peer, show(row), ratio(own(metric), row).toFixed(2)];
  };

  const jobs = [0, 1_000, 10_000];
  const withJobs = (name: string, metric: string) => jobs.map((count) => of(name, `${metric}, ${count} Jobs`));
  const growthOf = (metric: string, names = ["sync-trigger", "floor"]) =>
    names.map((name) => {
      const rows = withJobs(name, metric);
      const [none, , most] = rows as [Result, Result, Result];
      return [metric, titles[name] ?? name, ...rows.map(show), ratio(most, none).toFixed(2)];
    });
  const replicas = [1, 2, 4].map((count) => `at 16 connections, ${count} replica${count === 1 ? "" : "s"}`);
  const withReplicas = (metric: string) =>
    ["sync-trigger", "floor", "fastapi"].map((name) => {
      const shown = replicas.map((at) => show(of(name, `${metric} ${at}`)));
      return [metric, titles[name] ?? name, ...shown];
    });

  return [
    {
      name: "bench",
      head: ["", "sync-trigger", "bare Node", "FastAPI", "to bare Node", "to FastAPI"],
      rows: besideFloor.map((metric) => {
        const rows = ["sync-trigger", "floor", "fastapi"].map((name) => of(name, metric)) as [Result, Result, Result];
        return [metric, ...rows.map(show), ratio(rows[0], rows[1]).toFixed(2), ratio(rows[0], rows[2]).toFixed(2)];
      }),
    },
    {
      name: "bench knative",
      head: ["on real Knative", "sync-trigger", "beside", "", "to that"],
      rows: [
        besideOne("answer from zero pods", "trivial Go service"),
        besideOne("event, one at a time, awake", "JobSink"),
        besideOne("event, p90", "JobSink"),
        besideOne("API requests per event", "JobSink"),
      ],
    },
    {
      name: "bench size",
      head: ["", "size"],
      rows: [
        ["bundle", show(own("bytes of sync-trigger.cjs"))],
        ["its code cache", show(own("bytes of sync-trigger.cache"))],
        ["image (Debian, as the tests build it)", show(own("image"))],
        ["its base, with nothing but Node", show(of("Node's own base", "image"))],
      ],
    },
    {
      name: "bench growth",
      head: ["with Jobs in the namespace", "", "0", "1,000", "10,000", "10,000 to 0"],
      rows: [
        ...growthOf("exec to first Job"),
        ...growthOf("latency p50 at 1 connection"),
        ...growthOf("latency p99 at 1 connection"),
        ...growthOf("CPU per trigger at 1 connection"),
        ...growthOf("API requests per trigger at 1 connection"),
        ...growthOf("GET /jobs", ["sync-trigger"]),
        ...growthOf("RSS after GET /jobs", ["sync-trigger"]),
      ],
    },
    {
      name: "bench replicas",
      head: ["with replicas", "", "1", "2", "4"],
      rows: [
        "Jobs",
        "latency p50",
        "latency p99",
        "CPU per trigger",
        "CPU of kube-apiserver and etcd per trigger",
        "API requests per trigger",
      ].flatMap(withReplicas),
    },
    {
      name: "bench parts",
      head: ["command", "commit", "ended"],
      rows: Object.values(parts).map(({ command, commit, at }) => [`\`${command}\``, commit, at.slice(0, 16)]),
    },
    {
      name: "bench targets",
      head: ["target", "wanted", "measured", ""],
      rows: toTargets(of),
    },
  ];
}

const ratio = (one: Result, other: Result) => one.median / other.median;

type Of = (name: string, metric: string) => Result;

/** What this project set out to reach, and whether it did. */
function toTargets(of: Of): string[][] {
  const own = (metric: string) => of("sync-trigger", metric);
  const judge = (what: string, wanted: string, measured: string, isReached: boolean) => [
    ...[what, wanted, measured, isReached ? "reached" : "missed"],
  ];
  const atMost = (what: string, limit: number, value: number) =>
    judge(what, `at most ${limit}`, value.toFixed(2), value <= limit);
  const atLeast = (what: string, limit: number, value: number) =>
    judge(what, `at least ${limit}`, value.toFixed(2), value >= limit);
  const below = (what: string, value: number) => judge(what, "below 1", value.toFixed(2), value < 1);
  /** Ours to a peer's, of the same metric. */
  const to = (peer: string, metric: string) => ratio(own(metric), of(peer, metric));

  const p50 = "latency p50 at 1 connection";
  const at16 = "at 16 connections";
  const firstJob = "exec to first Job";
  const bundle = own("bytes of sync-trigger.cjs");
  return [
    atMost(`${firstJob}, to bare Node's`, 1.3, to("floor", firstJob)),
    atLeast(`FastAPI's ${firstJob}, to ours`, 6, 1 / to("fastapi", firstJob)),
    atMost("answer from zero pods, to a trivial Go service's", 1.1, to("trivial Go service", "answer from zero pods")),
    atMost("RSS when idle, to bare Node's", 1.15, to("floor", "RSS when idle")),
    below("RSS when idle, to FastAPI's", to("fastapi", "RSS when idle")),
    atMost("RSS under load, to bare Node's", 1.4, to("floor", "RSS under load")),
    atLeast(`Jobs ${at16}, to bare Node's`, 1.2, to("floor", `Jobs ${at16}`)),
    atLeast(`Jobs ${at16}, to FastAPI's`, 4, to("fastapi", `Jobs ${at16}`)),
    atMost(`CPU per trigger ${at16}, to bare Node's`, 1.2, to("floor", `CPU per trigger ${at16}`)),
    atMost(`latency p99 ${at16}, to bare Node's`, 1, to("floor", `latency p99 ${at16}`)),
    below("an event's latency, to JobSink's", to("JobSink", "event, one at a time, awake")),
    below("API requests per event, to JobSink's", to("JobSink", "API requests per event")),
    judge("bundle", "at most 700 kB", `${bundle.median} ${bundle.unit}`, bundle.unit === "kB" && bundle.median <= 700),
    atMost("image, to its base", 1.1, to("Node's own base", "image")),
    atMost(
      "median latency with 10,000 Jobs in the namespace, to that with none",
      1.1,
      ratio(own(`${p50}, 10000 Jobs`), own(`${p50}, 0 Jobs`)),
    ),
  ];
}

/** README with the tables of a result file and a link to it. Throws where a table has no place. */
export function writeTables(readme: string, tables: readonly Table[], path: string): string {
  const linked = readme.replace(/test\/bench\/results\/[\d-]+\.json/g, path);
  return tables.reduce((text, { name, head, rows }) => {
    const [before, rest] = text.split(`<!-- ${name} -->`);
    const [, after] = rest?.split(`<!-- /${name} -->`) ?? [];
    if (before === undefined || after === undefined) throw new Error(`README has no place for the table ${name}`);
    const lines = [head, head.map(() => "---"), ...rows].map((cells) =>
      `| ${cells.join(" | ")} |`.replace(/ {2,}/g, " "),
    );
    return `${before}<!-- ${name} -->\n\n${lines.join("\n")}\n\n<!-- /${name} -->${after}`;
  }, linked);
}
