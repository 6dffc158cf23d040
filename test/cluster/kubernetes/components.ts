import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BIN_LINK, RUN_DIR } from "../machine/paths.ts";
import { isAlive, recallProcess } from "../machine/process.ts";
import { CA_FILE, PKI_DIR, SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_PUBLIC_KEY } from "./certificates.ts";
import { kubeconfigFile } from "./kubeconfig.ts";
import { startInside } from "./namespaces.ts";
import { CONTAINERD_CONFIG, KUBELET_CONFIG } from "./node-files.ts";
import { NODE_ADDRESS, NODE_NAME, POD_CIDR, SERVICE_CIDR } from "./settings.ts";

const ETCD_URL = "http://127.0.0.1:2379";

const pki = (file: string): string => join(PKI_DIR, file);

const etcd = [
  "etcd",
  `--data-dir=${join(RUN_DIR, "etcd")}`,
  `--listen-client-urls=${ETCD_URL}`,
  `--advertise-client-urls=${ETCD_URL}`,
  "--listen-peer-urls=http://127.0.0.1:2380",
  // Nothing here is to survive a power cut, and every write would wait for the disk.
  "--unsafe-no-fsync",
];

const apiServer = [
  `--etcd-servers=${ETCD_URL}`,
  "--secure-port=6443",
  `--advertise-address=${NODE_ADDRESS}`,
  `--client-ca-file=${CA_FILE}`,
  `--tls-cert-file=${pki("apiserver.crt")}`,
  `--tls-private-key-file=${pki("apiserver.key")}`,
  `--kubelet-certificate-authority=${CA_FILE}`,
  `--kubelet-client-certificate=${pki("apiserver-to-kubelet.crt")}`,
  `--kubelet-client-key=${pki("apiserver-to-kubelet.key")}`,
  "--kubelet-preferred-address-types=InternalIP",
  "--authorization-mode=Node,RBAC",
  // The second is what makes an owner reference with blockOwnerDeletion need a right of its own.
  "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
  "--service-account-issuer=https://kubernetes.default.svc",
  `--service-account-key-file=${SERVICE_ACCOUNT_PUBLIC_KEY}`,
  `--service-account-signing-key-file=${SERVICE_ACCOUNT_KEY}`,
  `--service-cluster-ip-range=${SERVICE_CIDR}`,
  // Else a graceful end waits a minute for watches that nobody closes.
  "--shutdown-watch-termination-grace-period=2s",
  "--allow-privileged=true",
];

const controllerManager = [
  `--kubeconfig=${kubeconfigFile("kube-controller-manager")}`,
  "--leader-elect=false",
  "--bind-address=127.0.0.1",
  // Each controller with its own rights, as on a cluster of kubeadm.
  "--use-service-account-credentials=true",
  `--service-account-private-key-file=${SERVICE_ACCOUNT_KEY}`,
  `--root-ca-file=${CA_FILE}`,
  `--cluster-signing-cert-file=${CA_FILE}`,
  `--cluster-signing-key-file=${pki("ca.key")}`,
];

const scheduler = [
  `--kubeconfig=${kubeconfigFile("kube-scheduler")}`,
  "--leader-elect=false",
  "--bind-address=127.0.0.1",
];

const kubelet = [
  `--kubeconfig=${kubeconfigFile("kubelet")}`,
  `--config=${KUBELET_CONFIG}`,
  `--hostname-override=${NODE_NAME}`,
  `--node-ip=${NODE_ADDRESS}`,
];

const proxy = [
  `--kubeconfig=${kubeconfigFile("kube-proxy")}`,
  `--hostname-override=${NODE_NAME}`,
  "--proxy-mode=iptables",
  `--cluster-cidr=${POD_CIDR}`,
  "--metrics-bind-address=127.0.0.1:10249",
  // conntrack's limits belong to the machine.
  "--conntrack-max-per-core=0",
  "--conntrack-tcp-timeout-established=0s",
  "--conntrack-tcp-timeout-close-wait=0s",
];

const program = (name: string, args: string[]): string[] => [join(BIN_LINK, name), ...args];

/** The processes that are the cluster, and how each is started. */
export const components = {
  etcd,
  containerd: ["containerd", "--config", CONTAINERD_CONFIG],
  "kube-apiserver": program("kube-apiserver", apiServer),
  "kube-controller-manager": program("kube-controller-manager", controllerManager),
  "kube-scheduler": program("kube-scheduler", scheduler),
  kubelet: program("kubelet", kubelet),
  "kube-proxy": program("kube-proxy", proxy),
} satisfies Record<string, string[]>;

export type ComponentName = keyof typeof components;

/** Starts a component unless it runs. */
export async function ensureComponent(name: ComponentName): Promise<void> {
  if (isAlive(recallProcess(name))) return;
  mkdirSync(join(RUN_DIR, "etcd"), { recursive: true, mode: 0o700 });
  await startInside(name, components[name]);
}
