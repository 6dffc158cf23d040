import { at, batch, idleSpec, job, type Step, variants } from "./step.ts";

const selectors = [
  "app%3Da",
  "app%3D%3Da",
  "app!%3Da",
  "app+in+(a,b)",
  "app+notin+(a),list",
  "app",
  "!app,list",
  "app%3Da,t%3D2",
  "app%3D",
  "t%3E1",
  "%3D",
  "app%3Da%3Db",
  "a+b",
  "app+in+(a",
  "app%3Db+c",
  ",",
  "app,",
];
const fields = [
  "metadata.name%3Dl1",
  "metadata.name!%3Dl1,metadata.namespace!%3Dx",
  "status.successful%3D0",
  "foo%3D1",
  "foo",
  "metadata.name%3D%3Dl2",
];
const parameters = [
  "limit=x",
  "limit=-1&labelSelector=list",
  "limit=0&labelSelector=list",
  "resourceVersion=x",
  "resourceVersion=0&limit=1&labelSelector=list",
  "continue=x",
  "timeoutSeconds=x",
  "watch=0&labelSelector=list",
];

/** Ways to read a collection. */
export const listSteps = (namespace: string): Step[] => {
  const collection = `${batch(namespace)}/jobs`;
  const list = { method: "GET", path: collection };
  const three = [
    job("l1", idleSpec, { labels: { list: "", app: "a", t: "1" } }),
    job("l2", idleSpec, { labels: { list: "", app: "a", t: "2" } }),
    job("l3", idleSpec, { labels: { list: "", app: "b", t: "3" } }),
    job("l4", idleSpec, { labels: { list: "" } }),
  ];
  return [
    ...three.map((body, i) => ({ name: `Job ${i + 1} to list`, method: "POST", path: collection, body })),
    {
      name: "all have been seen",
      ...list,
      path: `${collection}?labelSelector=list`,
      until: (body) => (JSON.stringify(body).match(/JobSuspended/g) ?? []).length === three.length,
    },
    ...selectors.map((selector) => ({
      ...list,
      name: `labels ${selector}`,
      path: `${collection}?labelSelector=${selector}`,
    })),
    ...fields.map((field) => ({ ...list, name: `fields ${field}`, path: `${collection}?fieldSelector=${field}` })),
    ...parameters.map((query) => ({ ...list, name: `list ${query}`, path: `${collection}?${query}` })),
    ...variants(list, "pages", [
      ["first", { path: `${collection}?limit=2&labelSelector=list` }],
      [
        "second",
        {
          path: (seen) =>
            `${collection}?limit=2&labelSelector=list&continue=${at(seen("pages: first"), "metadata.continue")}`,
        },
      ],
      ["counted", { path: `${collection}?limit=1` }],
    ]),
    { ...list, name: "Jobs of all namespaces by label", path: "/apis/batch/v1/jobs?labelSelector=no-such-label" },
    { ...list, name: "a slash at the end", path: `${collection}/?labelSelector=t%3D1` },
    { name: "no pods", method: "GET", path: `/api/v1/namespaces/${namespace}/pods` },
    {
      name: "pods by a field that is none",
      method: "GET",
      path: `/api/v1/namespaces/${namespace}/pods?fieldSelector=foo%3D1`,
    },
  ];
};
