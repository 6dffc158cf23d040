// The floor: the least that a Node program can do for the same answer, on node:http and node:https alone. It reads the
// mounted credentials, and for each POST the CronJob, and creates a Job. No checks, keys, log, metrics or time-outs.
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { Agent, request } = require("node:https");
const { randomUUID } = require("node:crypto");

const read = (file) => readFileSync(`/var/run/secrets/kubernetes.io/serviceaccount/${file}`, "utf8").trim();
const agent = new Agent({ keepAlive: true, ca: read("ca.crt") });
const authorization = `Bearer ${read("token")}`;
const batch = `/apis/batch/v1/namespaces/${read("namespace")}`;
const { CRONJOB_NAME: name, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, PORT } = process.env;

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const content = body && { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const headers = { authorization, accept: "application/json", ...content };
    const outgoing = request({ host, port, method, path, agent, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode < 300) resolve(JSON.parse(text));
        else reject(new Error(text));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function toJob({ metadata, spec }) {
  const { metadata: template = {}, spec: jobSpec } = spec.jobTemplate;
  const owner = { apiVersion: "batch/v1", kind: "CronJob", name, uid: metadata.uid, controller: true };
  const annotations = { ...template.annotations, "cronjob.kubernetes.io/instantiate": "manual" };
  const own = { name: `${name}-${randomUUID()}`, labels: template.labels, annotations, ownerReferences: [owner] };
  return { apiVersion: "batch/v1", kind: "Job", metadata: own, spec: jobSpec };
}

createServer(async (request, response) => {
  try {
    for await (const _chunk of request);
    if (request.method !== "POST") return response.end("ok");
    const cronJob = await call("GET", `${batch}/cronjobs/${name}`);
    const job = await call("POST", `${batch}/jobs`, JSON.stringify(toJob(cronJob)));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ job: job.metadata.name }));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}).listen(Number(PORT));
