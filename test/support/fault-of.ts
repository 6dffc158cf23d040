import { FAULTS, Fault } from "../../functions/errors.ts";

/** A Fault as a test looks at it. */
export type ThrownFault = { code: string; status: number; message: string; headers: Record<string, string> };

/** The Fault that a call throws or rejects with. Any other error goes through; success is an error too. */
export async function faultOf(call: () => unknown): Promise<ThrownFault> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message, headers } = error;
    return { code, status: FAULTS[code].status, message, headers };
  }
  throw new Error(`expected a Fault, got ${JSON.stringify(value)}`);
}
