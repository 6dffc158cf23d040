import { at, batch, cronJob, job, type Step } from "./step.ts";

const namespaces = "/api/v1/namespaces";
const named = (name: string, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, ...metadata },
});

/** The namespace that everything else happens in comes first. */
export const namespaceSteps = (namespace: string): Step[] => [
  { name: "create namespace", method: "POST", path: namespaces, body: named(namespace, { labels: { team: "a" } }) },
  { name: "namespace again", method: "POST", path: namespaces, body: named(namespace) },
  { name: "namespace with a bad name", method: "POST", path: namespaces, body: named("Bad_Name") },
  { name: "get namespace", method: "GET", path: `${namespaces}/${namespace}` },
  { name: "no such namespace", method: "GET", path: `${namespaces}/no-such` },
  { name: "delete no such namespace", method: "DELETE", path: `${namespaces}/no-such` },
  {
    name: "Job in no such namespace",
    method: "POST",
    path: `${batch("no-such")}/jobs`,
    body: job("a"),
  },
  {
    name: "rehearsed CronJob in no such namespace",
    method: "POST",
    path: `${batch("no-such")}/cronjobs?dryRun=All`,
    body: cronJob("a"),
  },
  { name: "list in no such namespace", method: "GET", path: `${batch("no-such")}/jobs` },
  {
    name: "namespaces by label",
    method: "GET",
    path: `${namespaces}?labelSelector=kubernetes.io/metadata.name%3D${namespace}`,
  },
];

/** Played last: a namespace takes what is in it along. */
export const namespaceEndSteps = (namespace: string): Step[] => [
  { name: "short-lived namespace", method: "POST", path: namespaces, body: named(`${namespace}-x`) },
  {
    name: "Job that holds its namespace",
    method: "POST",
    path: `${batch(`${namespace}-x`)}/jobs`,
    body: job("held", undefined, { finalizers: ["example.com/hold"] }),
  },
  { name: "delete namespace", method: "DELETE", path: `${namespaces}/${namespace}-x` },
  {
    name: "Job in a terminating namespace",
    method: "POST",
    path: `${batch(`${namespace}-x`)}/jobs`,
    body: job("late"),
  },
  {
    name: "the Job is being deleted",
    method: "GET",
    path: `${batch(`${namespace}-x`)}/jobs/held`,
    until: (body) => at(body, "metadata.deletionTimestamp") !== undefined,
  },
  {
    name: "let go of the Job",
    method: "PATCH",
    path: `${batch(`${namespace}-x`)}/jobs/held`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { metadata: { finalizers: null } },
  },
  {
    name: "namespace is gone",
    method: "GET",
    path: `${namespaces}/${namespace}-x`,
    until: (_body, status) => status === 404,
  },
];
