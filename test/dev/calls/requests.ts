import { batch, idleSpec, job, mergePatch, type Step, variants } from "./step.ts";

const bodies: [string, Partial<Step>][] = [
  ["half a body", { body: '{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"x"}' }],
  ["an empty body", { body: "" }],
  ["a list", { body: "[]" }],
  ["a string", { body: '"str"' }],
  ["a number for apiVersion", { body: { apiVersion: 1 } }],
  ["another kind", { body: { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "x" } } }],
  ["another version", { body: { apiVersion: "batch/v1beta1", kind: "Job", metadata: { name: "x" } } }],
  ["a kind that nobody knows", { body: { apiVersion: "batch/v1", kind: "Task", metadata: { name: "x" } } }],
  ["metadata that is no object", { body: { ...job("x"), metadata: "x" } }],
  ["text for a number", { body: job("x", { backoffLimit: "x" }) }],
  ["1.0 for an integer", { body: `{"spec":{"backoffLimit":1.0}}` }],
  ["1.5 for an integer", { body: job("x", { backoffLimit: 1.5 }) }],
  ["more than 32 bits", { body: job("x", { backoffLimit: 99_999_999_999 }) }],
  ["text for a boolean", { body: job("x", { suspend: "no" }) }],
  ["an object for a list", { body: job("x", { template: { spec: { containers: { a: 1 } } } }) }],
  ["a list for an object", { body: job("x", { template: [] }) }],
  ["a number in labels", { body: job("x", { template: { metadata: { labels: { a: 1 } } } }) }],
  ["text for a list", { body: job("x", { template: { spec: { containers: [{ name: "m", args: "x" }] } } }) }],
  [
    "unknown fields, strictly",
    { path: "?fieldValidation=Strict", body: job("x", { ...idleSpec, foo: 1, bar: { a: 1 } }) },
  ],
  ["unknown fields, ignored", { path: "?fieldValidation=Ignore&dryRun=All", body: job("x", { ...idleSpec, foo: 1 }) }],
  ["an unknown kind of validation", { path: "?fieldValidation=Hard", body: job("x") }],
  ["an unknown kind of rehearsal", { path: "?dryRun=Some", body: job("x") }],
  ["a timeout that is no duration", { path: "?timeout=soon", body: job("x") }],
  ["a body of more than 3 MiB", { body: "x".repeat(3_200_000) }],
];

const types: [string, Partial<Step>][] = [
  ["text/plain", { headers: { "content-type": "text/plain" } }],
  ["garbage", { headers: { "content-type": "garbage" } }],
  ["none", { headers: { "content-type": undefined } }],
  ["with a charset", { headers: { "content-type": "application/json;charset=utf-8" } }],
  ["in capitals", { headers: { "content-type": "APPLICATION/JSON" } }],
];

/** Requests that are wrong as such, and paths of the server itself. */
export const requestSteps = (namespace: string): Step[] => {
  const collection = `${batch(namespace)}/jobs`;
  const post = { method: "POST", path: collection };
  return [
    ...variants(post, "send", bodies).map((step) => ({
      ...step,
      path: String(step.path).startsWith("?") ? `${collection}${step.path}` : step.path,
    })),
    ...variants({ ...post, path: `${collection}?dryRun=All`, body: job("typed") }, "content type", types),
    ...variants({ method: "GET", path: collection }, "method", [
      ["PUT on a collection", { method: "PUT", body: {} }],
      ["PATCH on a collection", { method: "PATCH", body: {} }],
      ["POST on an object", { method: "POST", path: `${collection}/plain`, body: {} }],
      ["OPTIONS", { method: "OPTIONS", path: `${collection}/plain` }],
      ["HEAD", { method: "HEAD", path: `${collection}/plain` }],
      ["DELETE on a status", { method: "DELETE", path: `${collection}/plain/status` }],
      ["POST to all namespaces", { method: "POST", path: "/apis/batch/v1/jobs", body: job("x") }],
      ["POST to the version", { method: "POST", path: "/version", body: {} }],
    ]),
    ...variants({ method: "GET", path: "" }, "path", [
      ["no such kind", { path: `${batch(namespace)}/tasks` }],
      ["no such subresource", { path: `${collection}/plain/tasks` }],
      ["an escaped slash", { path: `${collection}/plain%2Ftasks` }],
      ["an escaped name", { path: `${collection}/%70lain` }],
      ["something else", { path: "/no-such" }],
      ["ready", { path: "/readyz" }],
      ["alive", { path: "/livez" }],
      ["version", { path: "/version" }],
    ]),
    ...variants({ method: "GET", path: `${collection}/l1` }, "accept", [
      ["html", { headers: { accept: "text/html" } }],
      ["anything", { headers: { accept: "*/*" } }],
      ["a table or JSON", { headers: { accept: "text/html, application/json;q=0.9" } }],
    ]),
  ];
};

/** What a real server can do and the embedded one refuses with 501. */
export const unmodelledSteps = (namespace: string): Step[] => {
  const collection = `${batch(namespace)}/jobs`;
  const one = `${collection}/l1`;
  const yaml = { "content-type": "application/yaml" };
  return variants({ method: "GET", path: one }, "unmodelled", [
    ["a parameter that is ignored", { path: `${one}?colour=blue` }],
    ["another kind of object", { path: `/api/v1/namespaces/${namespace}/configmaps` }],
    ["discovery", { path: "/apis" }],
    ["a table", { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } }],
    ["YAML", { method: "POST", path: `${collection}?dryRun=All`, headers: yaml, body: JSON.stringify(job("y")) }],
    ["a JSON patch", { method: "PATCH", headers: { "content-type": "application/json-patch+json" }, body: [] }],
    ["deleting a collection", { method: "DELETE", path: `${collection}?labelSelector=no-such&dryRun=All` }],
    ["a namespace's status", { path: `/api/v1/namespaces/${namespace}/status` }],
    ["the status of a Job", { method: "PATCH", path: `${one}/status?dryRun=All`, headers: mergePatch, body: {} }],
    [
      "an Event with eventTime",
      {
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/events?dryRun=All`,
        body: { metadata: { name: "e" }, involvedObject: { namespace }, eventTime: "2026-01-01T00:00:00.000000Z" },
      },
    ],
    ["a pod made by hand", { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body: {} }],
  ]);
};
