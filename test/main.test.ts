import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { SETTINGS } from "../functions/config.ts";
import { startApiStub } from "./support/api-stub.ts";
import { makeCertificate } from "./support/certificates.ts";
import { findFreePort } from "./support/free-port.ts";
import { startFunction } from "./support/function-process.ts";
import { writeKubeconfig } from "./support/kubeconfig.ts";
import { until } from "./support/until.ts";

const least = { CRONJOB_NAME: "sync" };
/** A text that is bad for every setting but the lists, which take any words. */
const allBad = Object.fromEntries(
  Object.keys(SETTINGS).flatMap((name) => (name.endsWith("_SUBJECTS") ? [] : [[name, "? ?"]])),
);

describe("the process", () => {
  const onPort = async (env: Record<string, string>) => ({ ...env, PORT: String(await findFreePort()) });

  it.each([
    ["nothing set", {}, ["CRONJOB_NAME"]],
    ["one bad setting", { ...least, LOG_LEVEL: "loud" }, ["LOG_LEVEL"]],
    ["every setting bad but the port", allBad, Object.keys(allBad).filter((name) => name !== "PORT")],
  ])("with %s exits 1, names each once, shows no stack and never listens", async (_what, env, names) => {
    const { code, output, listened } = await run(await onPort(env));
    expect(code).toBe(1);
    for (const name of names) expect(output.match(new RegExp(`^  ${name}[=:]`, "gm")), name).toHaveLength(1);
    expect(output.split("\n")).toHaveLength(names.length + 2); // a heading, and the last line's end
    expect(output).toMatch(/^sync-trigger: bad settings:\n/);
    expect(output).not.toMatch(/^\s+at |\.ts:\d|node:internal/m);
    expect(listened).toBe(false);
  });

  it("with a bad port among them exits 1 and names that too", async () => {
    const { code, output } = await run(allBad);
    expect(code).toBe(1);
    for (const name of Object.keys(allBad)) expect(output, name).toContain(`\n  ${name}="`);
  });

  it.each<[what: string, env: Record<string, string>, sentence: string]>([
    [
      "no cluster anywhere",
      {},
      "no Kubernetes cluster: neither in a pod nor a kubeconfig (KUBECONFIG, ~/.kube/config)",
    ],
    [
      "a kubeconfig that is not there",
      { KUBECONFIG: "/nonexistent/config" },
      "KUBECONFIG: cannot be read: ENOENT: no such file or directory, open '/nonexistent/config'",
    ],
  ])("with %s exits 1 and says so without a stack", async (_what, env, sentence) => {
    const { code, output } = await run(await onPort({ ...least, ...env }));
    expect(output).toBe(`sync-trigger: bad settings:\n  ${sentence}\n`);
    expect(code).toBe(1);
  });

  it("opens the connection that the first trigger takes before there is one, and asks for nothing over it", async () => {
    const stub = await startApiStub({ tls: makeCertificate("api") });
    const cluster = { server: stub.server, "insecure-skip-tls-verify": true };
    const KUBECONFIG = writeKubeconfig({ cluster });
    const running = await startFunction({ ...least, KUBECONFIG });
    onTestFinished(async () => void (await running.stop()));
    await until("the connection", () => stub.connections() === 1);
    expect(stub.requests).toEqual([]);
    await fetch(`${running.url}/trigger-sync`, { method: "POST" });
    expect(stub.requests[0]).toMatchObject({ method: "GET", connection: 1 });
  });

  it("with a port that is taken exits 1 and says so in one line", async () => {
    const taken = createServer().listen(0);
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const KUBECONFIG = writeKubeconfig({ cluster: { server: "https://127.0.0.1:1" } });
    const { code, output } = await run({ ...least, KUBECONFIG, PORT: String(port) }, { look: false });
    expect(output).toBe("sync-trigger: the port is taken; set PORT to another one\n");
    expect(code).toBe(1);
  });

  it("with good settings listens, so that the rows above can fail", async () => {
    const KUBECONFIG = writeKubeconfig({ cluster: { server: "https://127.0.0.1:1" } });
    expect(await run(await onPort({ ...least, KUBECONFIG }))).toMatchObject({ listened: true });
  });

  it("warns that whoever reaches it can run the CronJob, unless callers must show who they are", async () => {
    const KUBECONFIG = writeKubeconfig({ cluster: { server: "https://127.0.0.1:1" } });
    const warning = "AUTH_MODE is none";
    const open = await run(await onPort({ ...least, KUBECONFIG }));
    expect(open.output).toContain(warning);
    const jwt = { AUTH_MODE: "jwt", AUTH_TRIGGER_SUBJECTS: "serviceaccount:page" };
    const closed = await run(await onPort({ ...least, KUBECONFIG, ...jwt }));
    expect(closed).toMatchObject({ listened: true, output: expect.not.stringContaining(warning) });
  });
});

/** Runs the function until it ends or listens; all it writes, and whether its port ever took a connection. */
async function run(env: Record<string, string>, { look = true } = {}) {
  const child = spawn(process.execPath, ["functions/main.ts"], {
    env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 45_000,
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  let listened = false;
  let hasEnded = false;
  const closed = once(child, "close").finally(() => {
    hasEnded = true;
  });
  while (!hasEnded && !listened) {
    listened = look && (await canConnect(Number(env.PORT))) && output.includes('"listening"');
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 25))]);
  }
  if (listened) child.kill("SIGKILL");
  const [code] = await closed;
  return { code: code as number | null, output, listened };
}

async function canConnect(port: number): Promise<boolean> {
  if (!(port > 0 && port < 65_536)) return false;
  const socket = connect(port, "127.0.0.1");
  const [isConnected] = await Promise.race([
    once(socket, "connect").then(() => [true]),
    once(socket, "error").then(() => [false]),
  ]).catch(() => [false]);
  socket.destroy();
  return isConnected ?? false;
}
