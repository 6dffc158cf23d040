import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CNI_BIN_DIRS, RUN_DIR } from "../machine/paths.ts";
import { CA_FILE, PKI_DIR } from "./certificates.ts";
import { outsidePath } from "./namespaces.ts";
import { CLUSTER_DOMAIN, DNS_SERVICE_ADDRESS, PAUSE_IMAGE, POD_CIDR } from "./settings.ts";

export const CONTAINERD_CONFIG = join(RUN_DIR, "containerd.toml");
export const KUBELET_CONFIG = join(RUN_DIR, "kubelet.json");
const RESOLV_CONF = join(RUN_DIR, "resolv.conf");

/** containerd's defaults, but for what a machine without a registry and without every capability needs. */
function containerdConfig(): string {
  const cniBinDir = CNI_BIN_DIRS.find((directory) => existsSync(join(directory, "bridge"))) ?? "";
  return `version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE nobody may lower an oom_score_adj, and runc fails instead of going on.
  restrict_oom_score_adj = true
  # The usual place, /run/netns, is shared with the machine.
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${cniBinDir}"
`;
}

/** Pods on one bridge; the host-local plugin hands out the addresses. */
function cniConfig() {
  const ipam = { type: "host-local", ranges: [[{ subnet: POD_CIDR }]], routes: [{ dst: "0.0.0.0/0" }] };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true, hairpinMode: true, ipam };
  const portmap = { type: "portmap", capabilities: { portMappings: true } };
  return { cniVersion: "0.4.0", name: "pods", plugins: [bridge, portmap] };
}

function kubeletConfig() {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: CA_FILE } },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(PKI_DIR, "kubelet-server.crt"),
    tlsPrivateKeyFile: join(PKI_DIR, "kubelet-server.key"),
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    clusterDNS: [DNS_SERVICE_ADDRESS],
    clusterDomain: CLUSTER_DOMAIN,
    // The machine's own name servers cannot be reached from inside.
    resolvConf: RESOLV_CONF,
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: ["none"],
    // Tests name images that nobody has: one that waits for its answer must not hold up the others.
    serializeImagePulls: false,
    maxPods: 250,
    // An evicted pod or a collected image could not come back: there is no registry to pull it from.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
  };
}

/** The configuration files of containerd, CNI and kubelet: their text by their path. */
export function nodeFiles(): Record<string, string> {
  return {
    [join(outsidePath("/etc/cni"), "net.d", "10-pods.conflist")]: JSON.stringify(cniConfig(), null, 2),
    [CONTAINERD_CONFIG]: containerdConfig(),
    [KUBELET_CONFIG]: JSON.stringify(kubeletConfig(), null, 2),
    [RESOLV_CONF]: "",
  };
}

/** Writes them. */
export function writeNodeFiles(): void {
  for (const [file, text] of Object.entries(nodeFiles())) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
