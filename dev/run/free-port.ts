import { once } from "node:events";
import { createServer } from "node:net";

const tries = 100;

/** The first free port from `first` on, on all interfaces; throws when a hundred are taken. */
export async function findFreePort(first: number): Promise<number> {
  for (let port = first; port < first + tries; port += 1) if (await isFree(port)) return port;
  throw new Error(`the ports ${first} to ${first + tries - 1} are all taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  } finally {
    server.close();
  }
}
