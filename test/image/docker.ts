import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SYSTEM_PATH } from "../cluster/machine/paths.ts";
import { run } from "../cluster/machine/run.ts";
import { waitFor } from "../cluster/machine/wait.ts";
import { requireProgram } from "../support/debian-package.ts";
import { type Engine, toEngine } from "./engine.ts";

/** The client of the server's own package: another one on the PATH may want a plugin for BuildKit that is not there. */
const client = "/usr/bin/docker";

/** Docker with BuildKit: a server of our own, which makes no bridge and touches no firewall. */
export async function openDocker(): Promise<Engine> {
  await requireProgram("dockerd", "docker.io");
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-docker-"));
  const host = `unix://${join(directory, "docker.sock")}`;
  const places = { "data-root": "data", "exec-root": "run", pidfile: "docker.pid" };
  const own = Object.entries(places).map(([flag, name]) => `--${flag}=${join(directory, name)}`);
  const noNetwork = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"];
  const logFile = join(directory, "log");
  const log = openSync(logFile, "a");
  const server = spawn("dockerd", [...own, ...noNetwork, "--storage-driver=overlay2", `--host=${host}`], {
    env: { ...process.env, PATH: SYSTEM_PATH },
    stdio: ["ignore", log, log],
  });
  const ended = once(server, "exit");
  const close = async () => {
    server.kill("SIGTERM");
    await ended;
    await rm(directory, { recursive: true });
  };
  const isHopeless = () => server.exitCode !== null;
  try {
    await waitFor({ what: "dockerd to answer", timeoutMs: 30_000, logFile, isHopeless }, () =>
      run(client, ["--host", host, "version"]),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return toEngine({ command: [client, "--host", host], build: [], run: [], env: { DOCKER_BUILDKIT: "1" } }, close);
}
