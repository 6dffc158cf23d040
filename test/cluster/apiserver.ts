import { join } from "node:path";
import { ensureComponent } from "./kubernetes/components.ts";
import { LOG_DIR } from "./machine/paths.ts";
import { endProcess, isAlive, recallProcess } from "./machine/process.ts";
import { waitFor } from "./machine/wait.ts";
import { kubectl } from "./netns.ts";

const NAME = "kube-apiserver";

/**
 * Stops the API server and returns when its process is gone. SIGTERM lets it finish what it has begun, which takes
 * over ten seconds; SIGKILL is a crash.
 */
export async function stopApiServer(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
  const apiServer = recallProcess(NAME);
  if (apiServer) await endProcess(apiServer, NAME, signal, 90_000);
}

/** Starts the API server unless it runs, and returns when it is ready. */
export async function startApiServer(): Promise<void> {
  await ensureComponent(NAME);
  const logFile = join(LOG_DIR, `${NAME}.log`);
  const isHopeless = () => !isAlive(recallProcess(NAME));
  await waitFor({ what: "the API server to be ready", timeoutMs: 90_000, logFile, isHopeless }, () =>
    kubectl(["get", "--raw", "/readyz"], { timeoutMs: 5000 }),
  );
}
