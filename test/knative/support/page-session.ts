import { spawn } from "node:child_process";
import { once } from "node:events";
import { eventually } from "./eventually.ts";

/** What a browser sends first: a BackMsg whose one field, rerun_script, is empty. Streamlit then runs the page's script. */
const runScript = new Uint8Array([0x5a, 0x00]);

/** Opens a session of a Streamlit page as a browser does, and gives what it is sent until that holds every text. */
export async function readPage(url: string, texts: string[], timeoutMs = 30_000): Promise<string> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/_stcore/stream`, ["streamlit"]);
  socket.binaryType = "arraybuffer";
  let sent = "";
  // Again each second, as the page's parts that run by themselves make a browser do.
  const rerun = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(runScript), 1_000);
  socket.onmessage = ({ data }) => {
    sent += Buffer.from(data as ArrayBuffer).toString("utf8");
  };
  const hasAll = async () => texts.every((text) => sent.includes(text));
  try {
    return (await eventually(`the page to say ${texts.join(", ")}`, hasAll, timeoutMs)) && sent;
  } finally {
    clearInterval(rerun);
    socket.close();
  }
}

/** Runs a `kubectl port-forward` in a shell while `use` runs. */
export async function whileForwarded(command: string, use: () => Promise<void>): Promise<void> {
  const child = spawn("sh", ["-c", `exec ${command}`], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  try {
    const isOpen = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
    if (!isOpen) throw new Error(`${command} ended with ${child.exitCode}`);
    await use();
  } finally {
    child.kill();
    await ended;
  }
}
