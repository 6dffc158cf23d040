import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE_DIR } from "../cluster/machine/paths.ts";
import { run } from "../cluster/machine/run.ts";

/** A program that takes POST /trigger-sync, as its container would start it. */
export type Program = { name: string; command: string[] };

const peers = join(import.meta.dirname, "peers");

/** Our bundle, the floor and the FastAPI peer; that one in a virtual environment which is made once. */
export async function findPrograms(): Promise<Program[]> {
  const node = process.execPath;
  const uvicorn = join(await makeVirtualEnvironment(), "bin", "uvicorn");
  // One process: in Kubernetes replicas are what FastAPI's documentation recommends. uvloop and httptools come along.
  const serve = ["--app-dir", join(peers, "fastapi"), "app:app", "--host", "0.0.0.0"];
  return [
    { name: "floor", command: [node, join(peers, "floor.cjs")] },
    { name: "sync-trigger", command: [node, "dist/main.cjs"] },
    { name: "fastapi", command: ["sh", "-c", 'exec "$@" --port "$PORT"', "sh", uvicorn, ...serve] },
  ];
}

async function makeVirtualEnvironment(): Promise<string> {
  const requirements = join(peers, "fastapi/requirements.txt");
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const directory = join(CACHE_DIR, `bench-fastapi-${hash}`);
  if (!existsSync(join(directory, "complete"))) {
    const timeoutMs = 400_000;
    await run("python3", ["-m", "venv", "--clear", directory], { timeoutMs });
    await run(join(directory, "bin/pip"), ["install", "--quiet", "--requirement", requirements], { timeoutMs });
    await run(join(directory, "bin/python"), ["-m", "compileall", "-q", join(peers, "fastapi"), "-d", "."], {
      timeoutMs,
    });
    await run("touch", [join(directory, "complete")]);
  }
  return directory;
}
