import { at, lease, leases, type Step } from "./step.ts";

/** What a watch from before a row of changes shows of them, with and without selectors. */
export const watchSteps = (namespace: string): Step[] => {
  const collection = leases(namespace);
  const one = `${collection}/watched`;
  const patch = { method: "PATCH", path: one, headers: { "content-type": "application/merge-patch+json" } };
  const watch = (query: string) => ({
    method: "GET",
    path: (seen: (step: string) => unknown) =>
      `${collection}?watch=true&timeoutSeconds=1&resourceVersion=${at(seen("before the changes"), "metadata.resourceVersion")}&${query}`,
  });
  return [
    { name: "before the changes", method: "GET", path: collection },
    { name: "watched: created", method: "POST", path: collection, body: lease("watched", {}, { labels: { w: "1" } }) },
    { name: "watched: changed", ...patch, body: { spec: { holderIdentity: "a" } } },
    { name: "watched: nothing changed", ...patch, body: { spec: { holderIdentity: "a" } } },
    { name: "watched: leaves the selector", ...patch, body: { metadata: { labels: { w: "2" } } } },
    { name: "watched: comes back", ...patch, body: { metadata: { labels: { w: "1" } } } },
    { name: "watched: deleted", method: "DELETE", path: one },
    // First the one that waits for the API server's cache to be as new as its storage: on a busy machine the cache can
    // be seconds behind, and the others would then show less than there was.
    {
      name: "what is there",
      method: "GET",
      path: `${collection}?watch=1&timeoutSeconds=1`,
      until: (_body, _status, text) => !text.includes("ResourceVersionTooLarge"),
    },
    { name: "all changes", ...watch("") },
    { name: "changes by label", ...watch("labelSelector=w%3D1") },
    {
      name: "what is there, from the cache",
      method: "GET",
      path: `${collection}?watch=1&timeoutSeconds=1&resourceVersion=0`,
    },
    {
      name: "watch with a version that is none",
      method: "GET",
      path: `${collection}?watch=1&timeoutSeconds=1&resourceVersion=x`,
    },
  ];
};
