import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FunctionProcess, startFunction } from "../../support/function-process.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

/** The function on a stub of the API server, to be treated badly. */
export type Victim = {
  fn: FunctionProcess;
  api: StubApi;
  /** Resident memory, bytes. */
  rssBytes(): Promise<number>;
  /** Ends it; rejects when it had crashed or wrote a line that is no JSON object. */
  stop(): Promise<void>;
};

/** What holds the process together: its log is written whole, so that every line of it can be looked at. */
export async function startVictim(env: Record<string, string> = {}): Promise<Victim> {
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-hostile-"));
  const api = await startStubApi();
  const kubeconfig = join(directory, "kubeconfig.json");
  const config = {
    clusters: [{ name: "c", cluster: { server: api.url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "api-token" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "n" } }],
    "current-context": "x",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const fn = await startFunction({ KUBECONFIG: kubeconfig, CRONJOB_NAME: "sync", ...env });
  return {
    fn,
    api,
    async rssBytes() {
      const status = await readFile(`/proc/${fn.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
    },
    async stop() {
      const code = await fn.stop();
      await api.close();
      await rm(directory, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the function ended with ${code}:\n${fn.output().slice(-2_000)}`);
      const broken = brokenLines(fn.output());
      if (broken.length > 0) throw new Error(`lines that are no JSON object:\n${broken.slice(0, 5).join("\n")}`);
    },
  };
}

/** The lines of a log that are no JSON object, in the eyes of a reader for whom only LF ends a line. */
export function brokenLines(output: string): string[] {
  return output.split("\n").filter((line) => line !== "" && !isJsonObjectText(line));
}

function isJsonObjectText(line: string): boolean {
  try {
    return line.startsWith("{") && typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}
