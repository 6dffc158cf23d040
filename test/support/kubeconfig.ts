import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory for one test, gone after it. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sync-trigger-unit-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes a kubeconfig with one context and gives its path; the parts are the kubeconfig's own `cluster` and `user`. */
export function writeKubeconfig(
  { cluster, user = {}, namespace }: { cluster: { server: string } & object; user?: object; namespace?: string },
  path = join(makeDirectory(), "kubeconfig"),
): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    // client-node speaks plain HTTP only where this is said.
    clusters: [{ name: "c", cluster: { ...(isHttp(cluster.server) ? insecure : {}), ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", ...(namespace === undefined ? {} : { namespace }) } }],
    "current-context": "x",
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const insecure = { "insecure-skip-tls-verify": true };

function isHttp(server: string): boolean {
  return server.startsWith("http:");
}
