import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../cluster/machine/run.ts";
import { requireProgram } from "../support/debian-package.ts";
import { type Engine, toEngine } from "./engine.ts";

/** Podman on storage of its own. */
export async function openPodman(): Promise<Engine> {
  await requireProgram("podman", "podman");
  const directory = await mkdtemp(join(tmpdir(), "sync-trigger-podman-"));
  const storage = [
    "--root",
    join(directory, "storage"),
    "--runroot",
    join(directory, "run"),
    "--tmpdir",
    join(directory, "tmp"),
  ];
  const flags = ["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"];
  // In a mount namespace of its own: it leaves its storage mounted.
  const command = ["unshare", "--mount", "podman", ...storage, ...flags];
  return toEngine(
    {
      command,
      build: ["--isolation", "chroot"],
      run: ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"], // its own are more than a root without CAP_SYS_RESOURCE may set
    },
    async () => {
      // No server ends what a failed test has left running.
      await run("unshare", [...command.slice(1), "rm", "--all", "--force", "--time", "5"]);
      await rm(directory, { recursive: true });
    },
  );
}
