// The Dockerfile with each builder that README names, whole and with dist/ as it is: npm run test:image
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NODE_IMAGE } from "../cluster/images/base.ts";
import { NPM_IMAGE, writeBases } from "./bases.ts";
import { openBuildah } from "./buildah.ts";
import { openDocker } from "./docker.ts";
import type { Engine } from "./engine.ts";
import { openPodman } from "./podman.ts";

/** A cluster that is not there: readiness does not ask for it. */
const kubeconfig = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "none",
  contexts: [{ name: "none", context: { cluster: "none", user: "none" } }],
  clusters: [{ name: "none", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "none", user: {} }],
};

let directory: string;
let bases: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-bases-"));
  await writeFile(join(directory, "kubeconfig"), JSON.stringify(kubeconfig), { mode: 0o444 });
  bases = await writeBases(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Looks at the container from inside: is it ready, as whom, does V8 take its compiled code, what may it write, what is in it. */
const look = `
  const { createHash } = require("node:crypto");
  const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
  const { Script } = require("node:vm");
  const isCacheTaken = () => {
    const options = { cachedData: readFileSync("/app/sync-trigger.cache") };
    return !new Script(readFileSync("/app/sync-trigger.cjs", "utf8"), options).cachedDataRejected;
  };
  const tell = (path) => { try { writeFileSync(path, ""); return "written"; } catch (error) { return error.code; } };
  const listAll = (path) => readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const below = path + entry.name;
    if (["/proc", "/sys", "/dev"].includes(below)) return [];
    try { return entry.isDirectory() ? [below, ...listAll(below + "/")] : [below]; } catch { return [below]; }
  });
  const digest = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const readiness = async () => {
    const deadlineMs = Date.now() + 20_000;
    for (;;) {
      const answer = await fetch("http://127.0.0.1:8080/health/readiness").catch((error) => error);
      if (answer.status || Date.now() > deadlineMs) return answer.status ?? String(answer.cause);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  readiness().then((status) => console.log(JSON.stringify({
    status,
    uid: process.getuid(),
    isCacheTaken: isCacheTaken(),
    written: ["/written", "/app/main.cjs", "/app/written"].map(tell),
    app: Object.fromEntries(readdirSync("/app").sort().map((name) => [name, digest("/app/" + name)])),
    licenses: readdirSync("/licenses").sort(),
    ofTheBuild: listAll("/").filter((path) => /\\/(source|node_modules|npm|\\.npm|dist)$/.test(path)),
  })));
`;

const programs = ["main.cjs", "print-event.mjs", "sync-trigger.cjs", "sync-trigger.cjs.map"];
const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

const builders: [name: string, open: () => Promise<Engine>][] = [
  ["Docker with BuildKit", openDocker],
  ["Podman", openPodman],
  ["buildah", openBuildah],
];

describe.each(builders)("%s", (_, open) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await open();
    for (const archive of bases) await engine.load(archive);
  });
  afterAll(() => engine?.close());

  test.each(["prebuilt", "build"])(
    "builds BUNDLE=%s, which runs as any uid on a read-only root, with nothing of the build in it",
    async (bundle) => {
      const image = `dev.local/sync-trigger-${bundle}:test`;
      await engine.build(image, { BASE: NODE_IMAGE, BUILD_BASE: NPM_IMAGE, BUNDLE: bundle });
      const volume = `${join(directory, "kubeconfig")}:/kubeconfig:ro`;
      const env = ["--env", "KUBECONFIG=/kubeconfig", "--env", "CRONJOB_NAME=nightly"];
      const container = await engine.start(image, ["--volume", volume, ...env]);
      expect(JSON.parse(await engine.evaluate(container, look))).toEqual({
        status: 200,
        uid: 12345,
        isCacheTaken: true,
        written: ["EROFS", "EROFS", "EROFS"],
        // The same programs wherever they are bundled; the code cache is of the Node that made it.
        app: {
          ...Object.fromEntries(programs.map((name) => [name, digest(`dist/${name}`)])),
          "sync-trigger.cache": expect.any(String),
        },
        licenses: ["LICENSE", "THIRD-PARTY-LICENSES.txt"],
        ofTheBuild: [],
      });
      expect(await engine.stop(container)).toBe(0);
    },
  );
});
