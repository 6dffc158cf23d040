import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CNI_BIN_DIRS, SYSTEM_PATH } from "./paths.ts";
import { run } from "./run.ts";
import { say } from "./say.ts";

/** Commands that the cluster calls, and the Debian package that has each. */
const commands: Record<string, string> = {
  buildah: "buildah",
  containerd: "containerd",
  ctr: "containerd",
  etcd: "etcd-server",
  flock: "util-linux",
  ip: "iproute2",
  iptables: "iptables",
  mmdebstrap: "mmdebstrap",
  nsenter: "util-linux",
  openssl: "openssl",
  runc: "runc",
  unshare: "util-linux",
};

function isInstalled(command: string): boolean {
  return SYSTEM_PATH.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function hasPip(): Promise<boolean> {
  try {
    await run("python3", ["-m", "pip", "--version"]);
    return true;
  } catch {
    return false;
  }
}

/** The Debian packages of what this machine lacks; Knative's gateway comes as a Python package. */
async function missingPackages(withKnative: boolean): Promise<string[]> {
  const packages = Object.entries(commands).flatMap(([command, name]) => (isInstalled(command) ? [] : [name]));
  const hasCni = CNI_BIN_DIRS.some((directory) => existsSync(join(directory, "bridge")));
  if (!hasCni) packages.push("containernetworking-plugins");
  if (withKnative && !(await hasPip())) packages.push("python3-pip");
  return [...new Set(packages)].sort();
}

/**
 * Checks that a cluster can run here. Missing Debian packages are installed when the user says --install, or on a CI;
 * else the error names the command.
 */
export async function requireMachine({ withKnative }: { withKnative: boolean }): Promise<void> {
  if (process.platform !== "linux") throw new Error("the cluster needs Linux; elsewhere name one by TEST_KUBE_CONTEXT");
  if (process.getuid?.() !== 0) throw new Error("the cluster needs root: it makes namespaces, mounts and cgroups");
  if (!isInstalled("go")) throw new Error("go is missing: install Go 1.26 or newer, https://go.dev/doc/install");

  const packages = await missingPackages(withKnative);
  if (packages.length === 0) return;
  const command = `apt-get update && apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
  const mayInstall = process.argv.includes("--install") || process.env.CI === "true";
  if (!mayInstall || !isInstalled("apt-get")) {
    throw new Error(`this machine lacks ${packages.join(", ")}. Install them, or use --install:\n  ${command}`);
  }
  say(`installing Debian packages: ${packages.join(" ")}`);
  await run("sh", ["-c", command], { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 600_000 });
}
