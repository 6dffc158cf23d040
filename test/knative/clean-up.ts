// Removes what former runs of these tests have left on the cluster: a failed test keeps its installation to be looked at.
import { kubectl } from "../support/kubectl.ts";
import { api } from "./support/cluster.ts";
import { listLeftNamespaces } from "./support/test-namespace.ts";

for (const namespace of await listLeftNamespaces(api)) {
  const policy = `sync-trigger-clone-only.${namespace}`;
  const bindings = [policy, `sync-trigger-clone-only-labelled.${namespace}`];
  await kubectl("delete", "validatingadmissionpolicybinding", ...bindings, "--ignore-not-found");
  await kubectl("delete", "validatingadmissionpolicy", policy, "--ignore-not-found");
  await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
}
