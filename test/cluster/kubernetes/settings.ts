/** The Kubernetes that is run: the version in go/kubernetes/go.mod. */
export const KUBERNETES_VERSION = "v1.36.3";

/** The one node; its address is on a bridge inside the network namespace. */
export const NODE_NAME = "node0";
export const NODE_ADDRESS = "172.31.0.1";

export const POD_CIDR = "10.244.0.0/16";
export const SERVICE_CIDR = "10.96.0.0/16";
export const API_SERVICE_ADDRESS = "10.96.0.1";
export const DNS_SERVICE_ADDRESS = "10.96.0.10";
export const CLUSTER_DOMAIN = "cluster.local";

export const API_SERVER_URL = `https://${NODE_ADDRESS}:6443`;

/** A pod's sandbox: the program that holds its namespaces open. */
export const PAUSE_IMAGE = "dev.local/pause:1";
