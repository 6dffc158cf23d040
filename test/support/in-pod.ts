import { execFileSync } from "node:child_process";

/** kubelet's directory, at the path that client-node knows; it must not be touched, so the process gets its own /run. */
const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";
const inOwnRun = ["unshare", "--user", "--map-root-user", "--mount"];
const mountScript = `mount -t tmpfs none /run && mkdir -p ${mounted} && mount --bind "$0" ${mounted} && exec "$@"`;

/** The command line that runs a command where a directory stands for the mounted service account. */
export function inPod(directory: string, command: string[]): string[] {
  return [...inOwnRun, "sh", "-c", mountScript, directory, ...command];
}

/** Where such a process finds its API server. */
export function podEnvironment(host: string, port: number | string): Record<string, string> {
  return { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: String(port) };
}

/** Whether this machine lets us have a mount namespace of our own. */
export function canMount(): boolean {
  const [command = "", ...options] = inOwnRun;
  try {
    execFileSync(command, [...options, "mount", "-t", "tmpfs", "none", "/run"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
