// npm run bench: our bundle beside the floor and FastAPI, interleaved, on the real API server (npm run cluster:up; the part
// knative: npm run knative:up). --part NAME (again and again) runs some parts, --json prints rows for programs, --write
// puts them into test/bench/results/DATE.json and README, where parts that this run does not have stay as they were.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { NODE_IMAGE } from "../cluster/images/base.ts";
import { loadImage } from "../cluster/images.ts";
import { clusterEnvironment, insideNetns } from "../cluster/netns.ts";
import { measureGrowth } from "./parts/growth.ts";
import { measureSize } from "./parts/size.ts";
import { measureStart } from "./parts/start.ts";
import { measureThroughput } from "./parts/throughput.ts";
import { findPrograms } from "./programs.ts";
import { toReadmeTables, writeTables } from "./readme-tables.ts";
import { type ResultFile, readNewestResults, resultPath } from "./result-file.ts";
import { type Measured, type Result, toResults, toTable } from "./results.ts";
import { prepareStage, type Stage } from "./stage.ts";

const image = "dev.local/sync-trigger:bench";

/** The parts by name, each with what it needs of the command line. */
const parts: Record<string, (rounds: number) => Promise<Measured[]>> = {
  start: async (rounds) => measureStart(await findPrograms(), await openStage("start"), rounds),
  throughput: async (rounds) => {
    const sizes = { rounds, forMs: 1_500, connections: [1, 16, 128] };
    return measureThroughput(await findPrograms(), await openStage("throughput"), sizes);
  },
  growth: async (rounds) => {
    const sizes = { jobs: [0, 1_000, 10_000], replicas: [1, 2, 4], rounds, forMs: 1_500 };
    return measureGrowth(await findPrograms(), openStage, sizes);
  },
  size: () => measureSize(image),
  knative: async (rounds) => {
    const { measureKnative } = await import("./parts/knative.ts"); // looks for its cluster when it is loaded
    return measureKnative(image, await openStage("knative"), rounds);
  },
};

/** Removed when all is measured: Kubernetes is busy for minutes with a namespace that has thousands of Jobs. */
const stages: Stage[] = [];

async function openStage(what: string): Promise<Stage> {
  const stage = await prepareStage(what);
  stages.push(stage);
  return stage;
}

const { values: options } = parseArgs({
  options: {
    part: { type: "string", multiple: true, default: Object.keys(parts) },
    rounds: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

if (process.env.BENCH_INSIDE === undefined) {
  if (options.part.some((part) => part === "size" || part === "knative")) {
    await loadImage(image, { context: ".", buildArgs: { BASE: NODE_IMAGE, BUNDLE: "prebuilt" } });
  }
  const [program = "", ...args] = insideNetns([process.execPath, import.meta.filename, ...process.argv.slice(2)]);
  const env = { ...process.env, ...clusterEnvironment(), BENCH_INSIDE: "1" };
  process.exit(spawnSync(program, args, { stdio: "inherit", env }).status ?? 1);
}

const measured: Record<string, Result[]> = {};
try {
  for (const part of options.part) {
    const run = parts[part];
    if (!run) throw new Error(`--part ${part}: expected ${Object.keys(parts).join(", ")}`);
    console.error(`bench: ${part}`);
    measured[part] = toResults(await run(Number(options.rounds)));
    if (options.write) write(part, measured[part]);
  }
} finally {
  for (const stage of stages) await stage.remove();
}
const results = Object.values(measured).flat();
console.log(options.json ? JSON.stringify({ results }, null, 2) : toTable(results));

function write(part: string, rows: Result[]): void {
  const at = new Date().toISOString();
  const date = at.slice(0, 10);
  const { file: before } = readNewestResults();
  const command = `npm run bench -- --part ${part} --rounds ${options.rounds} --write`;
  const file: ResultFile = {
    date,
    machine: describeMachine(),
    parts: { ...before.parts, [part]: { command, commit: describeCommit(), at } },
    results: [...before.results.filter((row) => row.part !== part), ...rows.map((row) => ({ part, ...row }))],
  };
  const path = resultPath(date);
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
  writeFileSync("README.md", writeTables(readFileSync("README.md", "utf8"), toReadmeTables(file), path));
}

/** What was measured; the results and README themselves may differ from it. */
function describeCommit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  const measured = ["functions", "packaging", "build.ts", "package-lock.json", "test/bench", ":!test/bench/results"];
  const isChanged = git("status", "--porcelain", "--", ...measured) !== "";
  return `${git("rev-parse", "--short", "HEAD")}${isChanged ? ", changed" : ""}`;
}

/** What the numbers depend on; no names of hosts. */
function describeMachine(): ResultFile["machine"] {
  const [cpu] = cpus();
  return {
    cores: cpus().length,
    cpu: cpu?.model,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    kernel: process.platform,
  };
}
