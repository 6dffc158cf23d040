import { api } from "./cluster.ts";
import { eventually } from "./eventually.ts";

const image = process.env.TEST_NODE_IMAGE ?? "dev.local/node:24";

/** What the pod's program does: one request, and its answer as one line of JSON. */
const script = `
  const [, url, init] = process.argv;
  const answer = await fetch(url, JSON.parse(init));
  console.log(JSON.stringify({ status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }));
`;

/** An answer as a pod got it. */
export type PodAnswer = { status: number; headers: Record<string, string>; body: string };

/** What Pod Security "restricted" asks of a container. */
const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** A pod that runs a line of JavaScript in Node once. */
export function nodePod(name: string, args: string[], labels: Record<string, string> = {}): object {
  const [program = "", ...rest] = args;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "node",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["node", "--input-type=module", "-e", program, ...rest],
          securityContext: restricted,
        },
      ],
    },
  };
}

/** Makes one request with fetch from a pod of the namespace. */
export async function callFromPod(
  namespace: string,
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<PodAnswer> {
  const name = `caller-${crypto.randomUUID().slice(0, 8)}`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  await api.expect("POST", pods, nodePod(name, [script, url, JSON.stringify(init)]));
  const phase = await eventually(
    `pod ${name} to end`,
    async () => {
      const { status } = (await api.expect("GET", `${pods}/${name}`)) as { status?: { phase?: string } };
      return status?.phase === "Succeeded" || status?.phase === "Failed" ? status.phase : undefined;
    },
    120_000,
  );
  const { text } = await api.call("GET", `${pods}/${name}/log`);
  await api.call("DELETE", `${pods}/${name}`);
  if (phase !== "Succeeded") throw new Error(`the caller's pod failed:\n${text}`);
  return JSON.parse(text) as PodAnswer;
}
