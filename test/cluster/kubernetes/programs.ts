import type { GoGroup } from "../machine/go-binaries.ts";
import { KUBERNETES_VERSION } from "./settings.ts";

/** Kubernetes itself, and the kubectl that belongs to it. */
export const kubernetesPrograms: GoGroup = {
  name: "kubernetes",
  linkerFlags: `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`,
  programs: Object.fromEntries(
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"].map((name) => [
      name,
      `k8s.io/kubernetes/cmd/${name}`,
    ]),
  ),
};

/** Small programs of our own. */
export const ownPrograms: GoGroup = { name: "own", programs: { hello: "./hello", pause: "./pause" } };
