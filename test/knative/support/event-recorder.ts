import { nodePod } from "./call-from-pod.ts";
import { api, list } from "./cluster.ts";
import { eventually } from "./eventually.ts";

const port = 8080;

/** Answers 202 to every event and prints its attributes and data as one line of JSON. */
const script = `
  import { createServer } from "node:http";
  createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { "ce-id": id, "ce-type": type, "ce-source": source, "ce-subject": subject } = request.headers;
    if (id) console.log(JSON.stringify({ id, type, source, subject, data: text === "" ? null : JSON.parse(text) }));
    response.writeHead(id ? 202 : 200).end();
  }).listen(${port});
  process.on("SIGTERM", () => process.exit(0));
`;

/** An event as the recorder saw it. */
type RecordedEvent = { id: string; type: string; source: string; subject?: string; data: unknown };

/** A pod behind a Service that writes down every event it gets. */
export type EventRecorder = { subscriber: object; read(): Promise<RecordedEvent[]> };

/** Starts a recorder and waits until it takes events. */
export async function startRecorder(namespace: string): Promise<EventRecorder> {
  const labels = { app: "recorder" };
  await api.expect("POST", `/api/v1/namespaces/${namespace}/services`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "recorder" },
    spec: { selector: labels, ports: [{ port: 80, targetPort: port }] },
  });
  const pod = nodePod("recorder", [script], labels) as { spec: { containers: object[] } };
  Object.assign(pod.spec.containers[0] ?? {}, { readinessProbe: { httpGet: { path: "/", port }, periodSeconds: 1 } });
  await api.expect("POST", `/api/v1/namespaces/${namespace}/pods`, pod);
  await eventually("the recorder to be reachable", async () => {
    type Slice = { metadata: { labels: Record<string, string> }; endpoints?: { conditions: { ready: boolean } }[] };
    const slices = await list<Slice>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`);
    const own = slices.filter(({ metadata }) => metadata.labels["kubernetes.io/service-name"] === "recorder");
    return own.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions.ready));
  });
  return {
    subscriber: { ref: { apiVersion: "v1", kind: "Service", name: "recorder" } },
    async read() {
      const { text } = await api.call("GET", `/api/v1/namespaces/${namespace}/pods/recorder/log`);
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as RecordedEvent);
    },
  };
}
