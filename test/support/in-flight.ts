import type { FunctionProcess } from "./function-process.ts";

/** How many requests the function has at work, the one that asks included. */
export async function inFlight({ url }: FunctionProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^sync_trigger_requests_in_flight (\d+)$/m.exec(text)?.[1]);
}
