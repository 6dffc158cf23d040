import { delimiter, dirname, resolve } from "node:path";
import type { Container } from "../api/objects.ts";
import type { ProcessSpec } from "./run-process.ts";

/** `$(NAME)` becomes the variable's value and `$$` a dollar, as Kubernetes does it; what is unknown stays as it is. */
export function expandVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (found, name: string | undefined) =>
    name === undefined ? "$" : (env[name] ?? found),
  );
}

function environmentOf(container: Container): Record<string, string> {
  const env: Record<string, string> = {};
  // A variable sees those before it.
  for (const { name, value = "" } of container.env ?? []) env[name] = expandVariables(value, env);
  return env;
}

/** How a container runs on this machine: nothing of our own environment but PATH and HOME, in the image's directory. */
export function processSpec(container: Container, directory: string): ProcessSpec {
  const env = environmentOf(container);
  const [command = "", ...args] = [...(container.command ?? []), ...(container.args ?? [])].map((text) =>
    expandVariables(text, env),
  );
  // `node` is the one that runs us.
  const path = [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter);
  return { command, args, cwd: resolve(directory), env: { PATH: path, HOME: process.env.HOME ?? "/", ...env } };
}
