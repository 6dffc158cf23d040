import type { KnownDifference } from "./compare.ts";

/** Where the embedded cluster answers the script of calls otherwise than kube-apiserver 1.36.3, and why it stays so. */
export const knownApiDifferences: readonly KnownDifference[] = [
  {
    step: /unmodelled: .*/,
    path: /.*/,
    reason: "what is not modelled is refused with 501, which no real server says",
  },
  {
    step: /path: version/,
    path: /body\.(compiler|gitCommit|goVersion)/,
    reason: "it was not built by Go",
  },
  {
    step: /patch CronJob: an unknown field, strictly/,
    path: /body\.(message|details\.causes\.0\.message)/,
    reason: "the message holds the whole object, with managedFields, which are not kept here",
  },
  {
    step: /patch Job: a container while suspended/,
    path: /body\.(message|details\.causes\.0\.message)/,
    reason: "the message prints the server's internal type of a pod, with Go's names for its fields",
  },
];

/** The same for Jobs that run, against a real node. */
export const knownRunDifferences: readonly KnownDifference[] = [
  {
    step: /.*: its pod/,
    path: /body\.items\.\d+\.(spec\.nodeName|status\.(hostIP|podIP|hostIPs\.0\.ip|podIPs\.0\.ip))/,
    reason: "another node",
  },
  {
    step: /.*: its pod/,
    path: /body\.items\.\d+\.status\.containerStatuses\.0\.(containerID|imageID|state\.terminated\.containerID)/,
    reason: "there is no container runtime",
  },
  {
    step: /.*: its pod/,
    path: /body\.items\.\d+\.status\.resources(\..*)?/,
    reason: "read from the pod's cgroup, and not the same from one pod to the next",
  },
  {
    step: /no-command: its pod/,
    path: /body\.items\.0\.status\.containerStatuses\.0\.state\.terminated\.message/,
    reason: "the words of the container runtime",
  },
  {
    step: /no-image: its pod/,
    path: /body\.items\.0\.status\.containerStatuses\.0\.state\.waiting\.message/,
    reason: "the words of the container runtime",
  },
];
