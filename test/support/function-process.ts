import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { until } from "./until.ts";

type LogLine = Record<string, unknown> & { msg?: string };

/** The function as its own process. */
export type FunctionProcess = {
  url: string;
  pid: number;
  /** Its log, a parsed line each. */
  log: LogLine[];
  /** Everything it wrote, both streams. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Sends SIGTERM unless it has ended, and gives the exit code. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
};

type StartOptions = { entry?: string; wrap?: (command: string[]) => string[] };

const builtOrSource = () => process.env.TEST_FUNCTION_ENTRY ?? "functions/main.ts";

/**
 * Starts the function (bundle-function.ts says which file) on a free port with these settings and waits until it
 * listens; `wrap` may run it within another program.
 */
export async function startFunction(
  env: Record<string, string>,
  { entry = builtOrSource(), wrap = (command) => command }: StartOptions = {},
): Promise<FunctionProcess> {
  const [command = "", ...parameters] = wrap([process.execPath, entry]);
  const child = spawn(command, parameters, {
    // Nothing is inherited but what a process needs: a setting of the developer's shell must not reach a test.
    env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const log: LogLine[] = [];
  collectLines(child, lines, log);
  const exited = once(child, "close").then(([code]) => code as number | null);
  const listening = await until("the function to listen", () => {
    if (child.exitCode !== null) throw new Error(`the function ended with ${child.exitCode}:\n${lines.join("\n")}`);
    return log.find(({ msg }) => msg === "listening");
  });
  return {
    url: `http://127.0.0.1:${listening.port}`,
    pid: child.pid ?? 0,
    log,
    output: () => lines.join("\n"),
    signal: (name) => child.kill(name),
    async stop() {
      if (child.exitCode === null) child.kill("SIGTERM");
      return exited;
    },
    exited,
  };
}

/** An hour's log would not fit: the older half goes. */
const mostLines = 100_000;

function collectLines({ stdout, stderr }: ChildProcess, lines: string[], log: LogLine[]): void {
  for (const stream of [stdout, stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (line.startsWith("{")) log.push(JSON.parse(line) as LogLine);
      for (const kept of [lines, log]) if (kept.length > mostLines) kept.splice(0, mostLines / 2);
    });
  }
}
