import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KUBECONFIG, RUN_DIR } from "../machine/paths.ts";
import { CA_FILE, PKI_DIR } from "./certificates.ts";
import { API_SERVER_URL } from "./settings.ts";

/** Where the kubeconfig of a component lies. */
export function kubeconfigFile(user: string): string {
  return user === "admin" ? KUBECONFIG : join(RUN_DIR, `${user}.kubeconfig`);
}

function writeKubeconfig(user: string): void {
  const base64 = (file: string): string => readFileSync(file).toString("base64");
  const cluster = { server: API_SERVER_URL, "certificate-authority-data": base64(CA_FILE) };
  const credentials = {
    "client-certificate-data": base64(join(PKI_DIR, `${user}.crt`)),
    "client-key-data": base64(join(PKI_DIR, `${user}.key`)),
  };
  const name = "sync-trigger";
  // JSON is YAML too.
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name, context: { cluster: name, user } }],
  };
  writeFileSync(kubeconfigFile(user), `${JSON.stringify(kubeconfig, null, 2)}\n`, { mode: 0o600 });
}

/** Writes the kubeconfigs of the administrator and of every component that talks to the API server. */
export function writeKubeconfigs(): void {
  for (const user of ["admin", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"])
    writeKubeconfig(user);
}
