import { API_SERVER_URL } from "../cluster/kubernetes/settings.ts";
import { NETNS, NETNS_FILE } from "../cluster/machine/paths.ts";

const apiServer = new URL(API_SERVER_URL).hostname;

/**
 * The command line that runs a command in a network namespace of its own, from which the cluster's API server can be
 * reached and nothing else. In the cluster's own namespace every pod that comes or goes adds or removes an interface,
 * and Chromium then breaks off what it is loading (net::ERR_NETWORK_CHANGED); here the two interfaces never change.
 * The namespace has no name: the kernel removes it, and the pair of interfaces, when the command's last process ends.
 */
export function insideQuietNetwork(command: string[]): string[] {
  const id = process.pid & 0xffff;
  // One address without a subnet, so that two runs at a time do not meet.
  const address = `172.30.${id >> 8}.${id & 0xff}`;
  const peer = `page${id}`;
  const inCluster = `ip link set ${peer} up && ip route add ${address} dev ${peer}`;
  const setUp = `
    set -e
    ip link set lo up
    ip link add cluster type veth peer name ${peer} netns ${NETNS}
    ip address add ${address}/32 dev cluster
    ip link set cluster addrgenmode none up
    ip route add ${apiServer} dev cluster
    nsenter --net=${NETNS_FILE} -- sh -c '${inCluster}'
    exec "$@"`;
  return ["unshare", "--net", "--", "sh", "-c", setUp, "sh", ...command];
}
