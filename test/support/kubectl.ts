import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Whether there is a kubectl on the PATH; rendering manifests needs no cluster, but it. */
export async function hasKubectl(): Promise<boolean> {
  return execute("kubectl", ["version", "--client"], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** Runs kubectl with the cluster of KUBECONFIG and TEST_KUBE_CONTEXT and gives its stdout; rejects with its stderr. */
export async function kubectl(...args: string[]): Promise<string> {
  return (await kubectlWarnings(...args)).stdout;
}

/** The same, with what the API server warned of. */
export async function kubectlWarnings(...args: string[]): Promise<{ stdout: string; warnings: string[] }> {
  const { TEST_KUBE_CONTEXT: context } = process.env;
  const all = context && args[0] !== "kustomize" ? ["--context", context, ...args] : args;
  const { stdout, stderr } = await execute("kubectl", all, { timeout: 180_000, maxBuffer: 16 * 1024 * 1024 });
  return { stdout, warnings: stderr.split("\n").filter((line) => line.startsWith("Warning:")) };
}
