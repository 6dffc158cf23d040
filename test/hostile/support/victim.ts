import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { smallHeap } from "../../support/small-heap.ts";
import { until } from "../../support/until.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

/** The function on a stub of the API server, to be treated badly. */
export type Victim = {
  url: string;
  api: StubApi;
  /** All it wrote to standard output and standard error. */
  output(): string;
  /** Resident memory, bytes. */
  rssBytes(): Promise<number>;
  /** Ends it. Rejects when it had crashed, and when a line that it wrote is no JSON object. */
  stop(): Promise<void>;
};

/** What the manifests give a pod, bytes. */
export const memoryLimitBytes = 256 * 1024 * 1024;

/** Starts one with these settings besides those that it needs. */
export async function startVictim(env: Record<string, string> = {}): Promise<Victim> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-hostile-"));
  const api = await startStubApi();
  const kubeconfig = await writeKubeconfig(directory, api.url);
  const child = spawn(process.execPath, ["functions/main.ts"], {
    env: {
      PATH: process.env.PATH ?? "",
      KUBECONFIG: kubeconfig,
      CRONJOB_NAME: "sync",
      PORT: "0",
      ...smallHeap,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const output = () => Buffer.concat(chunks).toString("utf8");
  const closed = once(child, "close");
  const port = await until("the function to listen", () => {
    if (child.exitCode !== null) throw new Error(`the function ended with ${child.exitCode}:\n${output()}`);
    return /"port":(\d+)/.exec(output())?.[1];
  }).catch(async (error) => {
    child.kill("SIGKILL");
    await api.close();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    api,
    output,
    async rssBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
    },
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = await closed;
      await api.close();
      await rm(directory, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the function ended with ${code ?? signal}:\n${output().slice(-2_000)}`);
      const broken = brokenLines(output());
      if (broken.length > 0) throw new Error(`lines that are no JSON object:\n${broken.slice(0, 5).join("\n")}`);
    },
  };
}

/** Sends a good trigger, and rejects when it is not answered 200 within the deadline. */
export async function expectGoodTrigger({ url }: Pick<Victim, "url">, timeoutMs = 5_000): Promise<void> {
  const answer = await fetch(`${url}/trigger-sync`, { method: "POST", signal: AbortSignal.timeout(timeoutMs) });
  if (answer.status !== 200) throw new Error(`a good trigger was answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** The lines of a log that are no JSON object, to a reader for whom every line separator of Unicode ends a line. */
export function brokenLines(output: string): string[] {
  return output.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/).filter((line) => line !== "" && !isJsonObjectText(line));
}

function isJsonObjectText(line: string): boolean {
  try {
    return line.startsWith("{") && typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}

async function writeKubeconfig(directory: string, server: string): Promise<string> {
  const path = join(directory, "kubeconfig.json");
  const config = {
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "api-token" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "n" } }],
    "current-context": "x",
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
