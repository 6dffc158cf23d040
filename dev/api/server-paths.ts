import type { Reply } from "./reply.ts";
import { methodNotAllowed } from "./status.ts";

const version = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.3",
  gitCommit: "embedded",
  gitTreeState: "",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

/** Answers the paths that are about the server itself. */
export function serverPaths(method: string, path: string): Reply | undefined {
  if (path === "/version" || path === "/version/") {
    if (method !== "GET") throw methodNotAllowed();
    return { status: 200, json: version };
  }
  return ["/readyz", "/livez", "/healthz"].includes(path) ? { status: 200, text: "ok" } : undefined;
}
