import type { KubeApi } from "../support/kube-api.ts";
import { installed } from "./installation.ts";

const core = `/api/v1/namespaces/${installed.namespace}`;
const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${installed.namespace}`;

/** Makes a ServiceAccount, with the rights of manifests/rights where it is the function's own. */
export async function createAccount(api: KubeApi, name: string, { isFunction = false } = {}): Promise<void> {
  await api.expect("POST", `${core}/serviceaccounts`, { metadata: { name } });
  if (!isFunction) return;
  const rules = [
    { apiGroups: ["batch"], resources: ["cronjobs"], resourceNames: [installed.cronJobName], verbs: ["get"] },
    { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create", "get"] },
  ];
  await api.expect("POST", `${rbac}/roles`, { metadata: { name }, rules });
  await api.expect("POST", `${rbac}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace: installed.namespace }],
  });
}

/** A token that the API server signs; `audience` unset: for itself. */
export async function tokenOf(api: KubeApi, account: string, audience?: string): Promise<string> {
  return requestToken(api, account, { ...(audience === undefined ? {} : { audiences: [audience] }) });
}

/** A token for the API server that `revoke` ends at once, as the end of a pod does with its own. */
export async function revocableTokenOf(api: KubeApi, account: string) {
  const { metadata } = await api.expect("POST", `${core}/secrets`, { metadata: { generateName: "bound-" } });
  const { name, uid } = metadata as { name: string; uid: string };
  const token = await requestToken(api, account, { boundObjectRef: { apiVersion: "v1", kind: "Secret", name, uid } });
  return { token, revoke: () => api.expect("DELETE", `${core}/secrets/${name}`) };
}

async function requestToken(api: KubeApi, account: string, spec: object): Promise<string> {
  const request = { spec: { expirationSeconds: 3_600, ...spec } };
  const { status } = await api.expect("POST", `${core}/serviceaccounts/${account}/token`, request);
  return (status as { token: string }).token;
}
