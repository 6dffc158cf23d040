import { nodePod } from "./call-from-pod.ts";
import { api } from "./cluster.ts";
import { eventually } from "./eventually.ts";

/** As whom a pod calls: a ServiceAccount, with a token mounted as README says or with none. */
export type Caller = { serviceAccount: string; audience?: string };

const script = `
  import { readFileSync } from "node:fs";
  const [, url, method, hasToken] = process.argv;
  const headers = hasToken ? { authorization: "Bearer " + readFileSync("/var/run/secrets/sync-trigger/token", "utf8") } : {};
  const answer = await fetch(url, { method, headers });
  console.log(JSON.stringify({ status: answer.status, body: await answer.text() }));
`;

/** Makes one request from a pod of the namespace, and gives its status and body. */
export async function callAs(
  namespace: string,
  { serviceAccount, audience }: Caller,
  { url, method }: { url: string; method: string },
): Promise<{ status: number; body: string }> {
  const name = `caller-${crypto.randomUUID().slice(0, 8)}`;
  const pod = nodePod(name, [script, url, method, audience ? "yes" : ""]) as { spec: { containers: object[] } };
  Object.assign(pod.spec, { serviceAccountName: serviceAccount });
  if (audience) {
    const token = { serviceAccountToken: { path: "token", audience, expirationSeconds: 3_600 } };
    Object.assign(pod.spec, { volumes: [{ name: "sync-trigger", projected: { sources: [token] } }] });
    const mount = { name: "sync-trigger", mountPath: "/var/run/secrets/sync-trigger", readOnly: true };
    Object.assign(pod.spec.containers[0] ?? {}, { volumeMounts: [mount] });
  }
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  await api.expect("POST", pods, pod);
  const phase = await eventually(
    `pod ${name} to end`,
    async () => {
      const { status } = (await api.expect("GET", `${pods}/${name}`)) as { status?: { phase?: string } };
      return status?.phase === "Succeeded" || status?.phase === "Failed" ? status.phase : undefined;
    },
    120_000,
  );
  const { text } = await api.call("GET", `${pods}/${name}/log`);
  if (phase !== "Succeeded") throw new Error(`the caller's pod failed:\n${text}`);
  await api.call("DELETE", `${pods}/${name}`);
  return JSON.parse(text);
}
