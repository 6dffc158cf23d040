import type { KubeApi } from "./kube-api.ts";
import { kubectl } from "./kubectl.ts";
import { type Rule, toRights } from "./rights.ts";
import { connectAs } from "./service-account.ts";

type UrlRule = { verbs: string[]; nonResourceURLs?: string[] };

/**
 * What the API server says that whoever asks may do in a namespace, as `toRights` writes it, and beyond resources as
 * `get /healthz`. Rejects for a partial answer.
 */
export async function rightsOf(api: KubeApi, namespace: string): Promise<string[]> {
  const review = await api.expect("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectRulesReview",
    spec: { namespace },
  });
  const { resourceRules, nonResourceRules, incomplete } = review.status as unknown as {
    resourceRules: Rule[];
    nonResourceRules: UrlRule[];
    incomplete: boolean;
  };
  if (incomplete) throw new Error(`the API server does not know all rights in ${namespace}`);
  const urls = nonResourceRules.flatMap(({ verbs, nonResourceURLs = [] }) =>
    verbs.flatMap((verb) => nonResourceURLs.map((url) => `${verb} ${url}`)),
  );
  return [...new Set([...toRights(resourceRules), ...urls])];
}

/** What every ServiceAccount may without any binding: asked of one that is made for it. */
export async function rightsOfAnybody(namespace: string): Promise<string[]> {
  await kubectl("create", "serviceaccount", "nobody", "--namespace", namespace);
  const { api, forget } = await connectAs("nobody", namespace);
  return rightsOf(api, namespace).finally(forget);
}
