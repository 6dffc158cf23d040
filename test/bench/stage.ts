import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectKubeApi } from "../support/kube-api.ts";
import { kubectl } from "../support/kubectl.ts";

/** Where the programs run: a namespace with a CronJob, and what a pod of its ServiceAccount has mounted. */
export type Stage = {
  namespace: string;
  /** The directory that is mounted where a pod has its credentials. */
  mounted: string;
  environment: Record<string, string>;
  /** Of the CronJob's Jobs. */
  jobSpec: object;
  /** Stores Jobs until there are as many. */
  fill(count: number): Promise<void>;
  /** Begins to; Kubernetes needs minutes for thousands of Jobs. */
  remove(): Promise<void>;
};

const cronJobName = "sync";
/** Suspended: such a Job is stored whole, and no pod starts that would use the machine. */
const jobSpec = {
  suspend: true,
  template: { spec: { restartPolicy: "Never", containers: [{ name: "sync", image: "dev.local/none:1" }] } },
};

/** Makes a namespace of the real cluster a stage; KUBECONFIG is its administrator's. */
export async function prepareStage(what: string): Promise<Stage> {
  const api = connectKubeApi(process.env.KUBECONFIG ?? "");
  const namespace = `bench-${what}-${crypto.randomUUID().slice(0, 6)}`;
  const batch = `/apis/batch/v1/namespaces/${namespace}`;
  await api.expect("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  await api.expect("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: "sync-trigger" } });
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await api.expect("POST", `${rbac}/roles`, {
    metadata: { name: "sync-trigger" },
    rules: [
      { apiGroups: ["batch"], resources: ["cronjobs"], resourceNames: [cronJobName], verbs: ["get"] },
      { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create", "get", "list", "watch"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
    ],
  });
  await api.expect("POST", `${rbac}/rolebindings`, {
    metadata: { name: "sync-trigger" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "sync-trigger" },
    subjects: [{ kind: "ServiceAccount", name: "sync-trigger", namespace }],
  });
  const { metadata } = (await api.expect("POST", `${batch}/cronjobs`, {
    metadata: { name: cronJobName },
    spec: { schedule: "0 0 29 2 *", suspend: true, jobTemplate: { spec: jobSpec } },
  })) as unknown as { metadata: { uid: string } };

  const mounted = await mkdtemp(join(tmpdir(), "sync-trigger-bench-"));
  const token = await kubectl("create", "token", "sync-trigger", "--namespace", namespace, "--duration", "2h");
  const { server, options } = await api.connection();
  const { ca } = (options.agent as unknown as { options: { ca: Buffer } }).options;
  await writeFile(join(mounted, "token"), token.trim());
  await writeFile(join(mounted, "ca.crt"), ca);
  await writeFile(join(mounted, "namespace"), namespace);

  const owner = { apiVersion: "batch/v1", kind: "CronJob", name: cronJobName, uid: metadata.uid, controller: true };
  let stored = 0;
  return {
    namespace,
    mounted,
    jobSpec,
    environment: {
      CRONJOB_NAME: cronJobName,
      KUBERNETES_SERVICE_HOST: server.hostname,
      KUBERNETES_SERVICE_PORT: server.port,
    },
    async fill(count) {
      const store = async () => {
        for (; stored < count; ) {
          stored += 1;
          const job = { metadata: { name: `${cronJobName}-fill-${stored}`, ownerReferences: [owner] }, spec: jobSpec };
          await api.expect("POST", `${batch}/jobs`, job);
        }
      };
      await Promise.all(Array.from({ length: 16 }, store));
    },
    async remove() {
      await rm(mounted, { recursive: true });
      await api.expect("DELETE", `/api/v1/namespaces/${namespace}`);
    },
  };
}
