import { api, list, mergePatch } from "./cluster.ts";
import { eventually } from "./eventually.ts";

const path = "/api/v1/namespaces/knative-eventing/configmaps/config-features";
const feature = "authentication-oidc";

/** Turns Eventing's feature on for the whole cluster; what it gives back puts it as it was. */
export async function enableOidc(): Promise<() => Promise<void>> {
  const { data } = (await api.expect("GET", path)) as { data?: Record<string, string> };
  const before = data?.[feature] ?? null;
  await mergePatch(path, { data: { [feature]: "enabled" } });
  return async () => {
    await mergePatch(path, { data: { [feature]: before } });
  };
}

type Broker = { metadata: { name: string }; status?: { address?: { audience?: string } } };

/** The audience that senders to a Broker need a token for. */
export async function brokerAudience(namespace: string, name: string): Promise<string> {
  return eventually(`the audience of Broker ${namespace}/${name}`, async () => {
    const brokers = await list<Broker>(`/apis/eventing.knative.dev/v1/namespaces/${namespace}/brokers`);
    return brokers.find(({ metadata }) => metadata.name === name)?.status?.address?.audience;
  });
}

/** Makes a ServiceAccount unless it is there, and gives a token of it. */
export async function tokenOf(namespace: string, account: string, audience: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await api.call("POST", accounts, { metadata: { name: account } });
  const spec = { audiences: [audience], expirationSeconds: 600 };
  const { status } = await api.expect("POST", `${accounts}/${account}/token`, { spec });
  return (status as { token: string }).token;
}
