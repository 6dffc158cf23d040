import { once } from "node:events";
import { Agent } from "node:http";
import { createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Access, type Credentials, toPlace } from "../../functions/kubernetes/credentials.ts";
import { type ApiRequest, createTransport, NoAnswer, readWhole } from "../../functions/kubernetes/transport.ts";
import { type ApiStub, hang, json, reset, type StubAnswer, startApiStub } from "../support/api-stub.ts";
import { findFreePort } from "../support/free-port.ts";
import { until } from "../support/until.ts";

/** Credentials whose token is counted up by each reload. */
function countingCredentials(server: string) {
  const reloads: string[] = [];
  const agent = new Agent({ keepAlive: true });
  const streamAgent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    streamAgent.destroy();
  });
  const credentials: Pick<Credentials, "access" | "reload"> = {
    access: async (): Promise<Access> => {
      const headers = { Authorization: `Bearer token-${reloads.length}` };
      return { ...toPlace(new URL(server)), headers, agent, streamAgent };
    },
    reload: async () => void reloads.push("reload"),
  };
  return { credentials, reloads };
}

function connect(server: string) {
  const { credentials, reloads } = countingCredentials(server);
  const transport = createTransport(credentials);
  const send = (request: Partial<ApiRequest> = {}) =>
    transport.send({ method: "GET", path: "/x", timeoutMs: 5_000, signal: new AbortController().signal, ...request });
  const open = (request: { path?: string; timeoutMs?: number; signal?: AbortSignal } = {}) =>
    transport.open({ path: "/x", signal: new AbortController().signal, ...request });
  return { send, open, reloads };
}

async function start(...answers: StubAnswer[]): Promise<ApiStub & ReturnType<typeof connect>> {
  const stub = await startApiStub();
  if (answers.length > 0) stub.answer(...answers);
  return { ...stub, ...connect(stub.server) };
}

async function noAnswerOf(call: Promise<unknown>): Promise<NoAnswer> {
  const error = await call.then(
    (value) => new Error(`expected no answer, got ${JSON.stringify(value)}`),
    (reason) => reason,
  );
  if (error instanceof NoAnswer) return error;
  throw error;
}

describe("a request", () => {
  it("goes out with the credentials' headers, its body and nothing that names more of us", async () => {
    const { send, requests } = await start();
    await send({ method: "POST", path: "/a%20b?timeout=4s", body: '{"ü":1}' });
    await send();
    expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", "/a%20b?timeout=4s", '{"ü":1}'],
      ["GET", "/x", ""],
    ]);
    const accept = expect.stringMatching(/^application\/json/);
    const common = { accept, authorization: "Bearer token-0", "user-agent": "sync-trigger" };
    expect(requests[0]?.headers).toMatchObject({
      ...common,
      "content-type": "application/json",
      "content-length": "8",
    });
    expect(requests[1]?.headers).toMatchObject(common);
    expect(requests[1]?.headers).not.toHaveProperty("content-type");
  });

  it("goes below the path of a server that has one", async () => {
    const stub = await startApiStub();
    await connect(`${stub.server}/k8s/clusters/c-1/`).send({ path: "/apis/batch/v1" });
    await connect(`${stub.server}/k8s`).send({ path: "/apis/batch/v1" });
    expect(stub.requests.map(({ path }) => path)).toEqual(["/k8s/clusters/c-1/apis/batch/v1", "/k8s/apis/batch/v1"]);
  });

  it.each([200, 201, 403, 404, 409, 429, 500, 503])("is answered with %i as it came, sent once", async (code) => {
    const { send, requests } = await start(json(code, '{"a":1.0}', { "retry-after": "7" }));
    const answer = await send();
    expect(answer).toMatchObject({ status: code, body: '{"a":1.0}', headers: { "retry-after": "7" } });
    expect(requests).toHaveLength(1);
  });
});

describe("connections", () => {
  it("are kept: fifty calls in turn go over one", async () => {
    const { send, requests, connections } = await start();
    for (let call = 0; call < 50; call += 1) await send({ method: "POST", body: "{}" });
    expect(requests).toHaveLength(50);
    expect(connections()).toBe(1);
  });

  it("of streams are others, so that an open one holds nothing up", async () => {
    const begin: StubAnswer = (response) => response.writeHead(200).write("begin");
    const { send, open, connections } = await start(begin, json(200, {}));
    const { stream } = await open();
    await send();
    await send();
    expect(connections()).toBe(2);
    stream.destroy();
  });
});

describe("after a 401", () => {
  const refused = json(401, { reason: "Unauthorized" });

  it("the credentials are read again and the request is sent once more, whatever its method", async () => {
    for (const method of ["GET", "POST", "PUT"] as const) {
      const { send, requests, reloads } = await start(refused, json(200, { ok: true }));
      expect(await send({ method, body: '{"a":1}' })).toMatchObject({ status: 200, body: '{"ok":true}' });
      expect(requests.map(({ headers, body }) => [headers.authorization, body])).toEqual([
        ["Bearer token-0", '{"a":1}'],
        ["Bearer token-1", '{"a":1}'],
      ]);
      expect(reloads).toHaveLength(1);
    }
  });

  it("a second 401 is the answer", async () => {
    const { send, requests, reloads } = await start(refused);
    expect(await send()).toMatchObject({ status: 401 });
    expect([requests.length, reloads.length]).toEqual([2, 1]);
  });

  it("a stream is opened once more too", async () => {
    const { open, requests, reloads } = await start(refused, json(200, "log"));
    const { status, stream } = await open();
    expect([status, await readWhole(stream)]).toEqual([200, "log"]);
    expect([requests.length, reloads.length]).toEqual([2, 1]);
  });

  it("no other status is tried again here: who called knows whether that is safe", async () => {
    for (const code of [403, 429, 500, 503]) {
      const { send, requests, reloads } = await start(json(code, {}));
      await send();
      expect([requests.length, reloads.length], String(code)).toEqual([1, 0]);
    }
  });
});

describe("without a whole answer", () => {
  it.each<[what: string, answer: StubAnswer, message: RegExp]>([
    ["the server hangs", hang, /^no answer within the deadline$/],
    ["the answer stops in the middle", (response) => response.writeHead(200).write("{"), /^no answer within the dead/],
    ["the connection is reset", reset, /^ECONNRESET$/],
    ["the connection closes", (response) => response.socket?.destroy(), /^ECONNRESET$/],
    ["the answer is cut off", cutOff, /^(ECONNRESET|aborted)$/],
    ["it is no HTTP", (response) => response.socket?.end("hello\r\n\r\n"), /^HPE_INVALID_CONSTANT$/],
  ])("the request counts as sent when %s", async (_what, answer, message) => {
    const { send, requests } = await start(answer);
    const isDeadline = message.test("no answer within the deadline");
    const error = await noAnswerOf(send({ timeoutMs: isDeadline ? 1_000 : 20_000 }));
    expect({ sent: error.sent, message: error.message }).toEqual({
      sent: true,
      message: expect.stringMatching(message),
    });
    expect(requests).toHaveLength(1);
  });

  it("the request counts as sent when a kept connection turns out to be closed", async () => {
    const { send, requests } = await start(json(200, {}), reset);
    await send();
    expect(await noAnswerOf(send())).toMatchObject({ sent: true });
    expect(requests).toHaveLength(2);
  });

  it("the request counts as not sent when the connection is refused", async () => {
    const { send } = connect(`http://127.0.0.1:${await findFreePort()}`);
    expect(await noAnswerOf(send())).toMatchObject({ sent: false, message: "ECONNREFUSED" });
  });

  it("the request counts as not sent when the TLS handshake never ends", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on("error", () => {}))).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    const { credentials } = countingCredentials(`https://127.0.0.1:${port}`);
    const { Agent: HttpsAgent } = await import("node:https");
    const agent = new HttpsAgent();
    const transport = createTransport({
      ...credentials,
      access: async () => ({ ...(await credentials.access()), agent }),
    });
    const signal = new AbortController().signal;
    const error = await noAnswerOf(transport.send({ method: "POST", path: "/", body: "{}", timeoutMs: 1_000, signal }));
    expect(error).toMatchObject({ sent: false, message: "no answer within the deadline" });
    expect(sockets).toHaveLength(1);
  });

  it("the caller's signal ends it before the deadline", async () => {
    const { send, requests } = await start(hang);
    const controller = new AbortController();
    const sending = noAnswerOf(send({ timeoutMs: 60_000, signal: controller.signal }));
    await until("the request", () => requests.length === 1);
    controller.abort();
    expect((await sending).sent).toBe(true);
  });

  it("an aborted signal lets nothing out", async () => {
    const { send, requests } = await start();
    expect(await noAnswerOf(send({ signal: AbortSignal.abort() }))).toMatchObject({ sent: false });
    expect(requests).toHaveLength(0);
  });

  it("a stream's beginning has a deadline, and its length has none", async () => {
    const { open } = await start(hang);
    expect(await noAnswerOf(open({ timeoutMs: 100 }))).toMatchObject({ message: "no answer within the deadline" });

    const slow = await start((response) => {
      response.writeHead(200).write("begin ");
      setTimeout(() => response.end("end"), 2_000);
    });
    const { stream } = await slow.open({ timeoutMs: 1_000 });
    expect(await readWhole(stream)).toBe("begin end");
  });

  it("a stream breaks off with its signal", async () => {
    const { open } = await start((response) => response.writeHead(200).write("begin"));
    const controller = new AbortController();
    const { stream } = await open({ signal: controller.signal });
    controller.abort();
    await expect(readWhole(stream)).rejects.toThrow();
  });
});

describe("an answer that is too large", () => {
  it("is given up, and counts as sent", async () => {
    const { send } = await start(json(200, `"${"x".repeat(4 * 1024 * 1024)}"`));
    expect(await noAnswerOf(send())).toMatchObject({ sent: true, message: "answer over 4194304 bytes" });
  });

  it("is one over the limit of its request", async () => {
    const { send } = await start(json(200, "12345678"));
    expect(await send({ answerLimitBytes: 8 })).toMatchObject({ body: "12345678" });
    expect(await noAnswerOf(send({ answerLimitBytes: 7 }))).toMatchObject({ message: "answer over 7 bytes" });
  });
});

it("characters that chunks cut through come out whole", async () => {
  const text = `"${"ü".repeat(200_000)}😀"`; // of two bytes each, behind one: any even boundary cuts one
  const { send } = await start(json(200, text));
  expect((await send()).body).toBe(text);
});

function cutOff(...[response]: Parameters<StubAnswer>): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('{"half":', () => response.socket?.destroy());
}
