import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";

/** One request for a Job and what came of it; times are of performance.now. */
export type Attempt = {
  id: string;
  key: string;
  sentAtMs: number;
  endedAtMs: number;
  /** 0: no answer, and `error` says why. */
  status: number;
  error?: string;
  outcome?: string;
  /** The Job's name. */
  job?: string;
};

/** Clients that ask for Jobs one after the other, each with a key of its own. */
export type Load = {
  attempts: Attempt[];
  /** Lets each client finish what it has begun. */
  stop(): Promise<void>;
};

export type LoadOptions = {
  clients: number;
  /** A failed request is repeated with its key until it has its Job; else the client goes on with the next. */
  isRepeated: boolean;
  /** How its keys begin. */
  prefix: string;
  /** More headers, asked for before each request. */
  headers?: (attempt: number) => Record<string, string>;
};

/** Longer than the function may take for a trigger. */
const patienceMs = 20_000;
const pauseMs = 20;

/** Starts clients, each with a keep-alive connection. */
export function startLoad(url: string, { clients, isRepeated, prefix, headers = () => ({}) }: LoadOptions): Load {
  const attempts: Attempt[] = [];
  const agent = new Agent({ keepAlive: true });
  const stopping = new AbortController();
  let count = 0;

  async function send(key: string): Promise<Attempt> {
    count += 1;
    const id = `${key.replaceAll(" ", "-")}-${count}`;
    const attempt: Attempt = { id, key, sentAtMs: performance.now(), endedAtMs: 0, status: 0 };
    const own = { ...headers(count), "idempotency-key": key, "x-request-id": id };
    Object.assign(attempt, await post(url, agent, own), { endedAtMs: performance.now() });
    attempts.push(attempt);
    return attempt;
  }

  async function run(client: number): Promise<void> {
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      const key = `${prefix} client ${client} turn ${turn}`;
      while ((await send(key)).status !== 200 && isRepeated) await pause(pauseMs);
      await pause(pauseMs);
    }
  }

  const running = Array.from({ length: clients }, (_, client) => run(client));
  return {
    attempts,
    async stop() {
      stopping.abort();
      await Promise.all(running);
      agent.destroy();
    },
  };
}

type Answer = Omit<Attempt, "id" | "key" | "sentAtMs" | "endedAtMs">;

function post(url: string, agent: Agent, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(patienceMs);
    const outgoing = request(`${url}/trigger-sync`, { method: "POST", agent, headers, signal }, async (answer) => {
      try {
        let text = "";
        for await (const chunk of answer.setEncoding("utf8")) text += chunk;
        resolve({ status: answer.statusCode ?? 0, ...toFacts(JSON.parse(text)) });
      } catch (error) {
        resolve({ status: 0, error: `half an answer: ${(error as Error).message}` });
      }
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => resolve({ status: 0, error: error.code ?? error.name }));
    outgoing.end();
  });
}

function toFacts({ outcome, job, detail }: JsonObject): Partial<Answer> {
  return {
    ...(typeof outcome === "string" ? { outcome } : {}),
    ...(isJsonObject(job) ? { job: String(job.name) } : {}),
    ...(typeof detail === "string" ? { error: detail } : {}),
  };
}
