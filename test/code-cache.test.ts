import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, cacheCode } from "../build.ts";
import { compileProgram } from "../packaging/compile-program.ts";
import { startFunction } from "./support/function-process.ts";
import { writeKubeconfig } from "./support/kubeconfig.ts";

const directory = mkdtempSync(join(tmpdir(), "sync-trigger-cache-"));
beforeAll(async () => {
  await bundle(directory);
  cacheCode(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A copy of the bundle, to be changed. */
function copyBundle(name: string): string {
  const copy = `${directory}-${name}`;
  cpSync(directory, copy, { recursive: true });
  return copy;
}

const settings = () => ({
  CRONJOB_NAME: "sync",
  KUBECONFIG: writeKubeconfig({ cluster: { server: "https://127.0.0.1:1" } }),
});

describe("the code cache", () => {
  it("is taken by the Node that made it", () => {
    expect(compileProgram(directory).cache).toBe("used");
  });

  it("is no part of another program's text", () => {
    const copy = copyBundle("longer");
    writeFileSync(join(copy, "sync-trigger.cjs"), `${readFileSync(join(copy, "sync-trigger.cjs"), "utf8")}\n`);
    expect(compileProgram(copy).cache).toBe("rejected");
    rmSync(copy, { recursive: true });
  });

  it.each<[what: string, spoil: (path: string) => void, word: string | undefined]>([
    ["with it: no word of it", () => undefined, undefined],
    ["one of another V8: says so", (path) => writeFileSync(path, readFileSync(path).fill(1, 4, 8)), "rejected"],
    ["half of one: says so", (path) => writeFileSync(path, readFileSync(path).subarray(0, 1_000)), "rejected"],
    ["none: says so", (path) => rmSync(path), "missing"],
  ])("lets the program start %s", async (_what, spoil, word) => {
    const copy = copyBundle("spoiled");
    spoil(join(copy, "sync-trigger.cache"));
    const running = await startFunction(settings(), { entry: join(copy, "main.cjs") });
    try {
      const lines = running.log.filter(({ msg }) => msg?.startsWith("code cache"));
      expect(lines.map(({ level, msg }) => [level, msg?.split(":")[0]])).toEqual(
        word === undefined ? [] : [["warn", `code cache ${word}`]],
      );
      expect((await fetch(`${running.url}/health/readiness`)).status).toBe(200);
    } finally {
      expect(await running.stop()).toBe(0);
      rmSync(copy, { recursive: true });
    }
  });

  it.skipIf(process.getuid?.() !== 0)("is taken by any uid, and nothing but read", () => {
    const copy = copyBundle("any-uid");
    execFileSync("chmod", ["-R", "a=rX", copy]);
    const script = `
      const { readFileSync } = require("node:fs"), { Script } = require("node:vm");
      const program = new Script(readFileSync("sync-trigger.cjs", "utf8"), { cachedData: readFileSync("sync-trigger.cache") });
      console.log(process.getuid(), program.cachedDataRejected);`;
    const output = execFileSync(process.execPath, ["-e", script], { cwd: copy, uid: 12_345, encoding: "utf8" });
    expect(output).toBe("12345 false\n");
    chmodSync(copy, 0o700);
    rmSync(copy, { recursive: true });
  });
});

describe("a stack trace of the bundle", () => {
  const plant = 'require("node:net").Server.prototype.listen = () => { throw new Error("planted"); };';
  const source = readFileSync("functions/server.ts", "utf8").split("\n");
  const line = source.findIndex((text) => text.includes("server.listen(")) + 1;

  function crash(entry: string): string {
    writeFileSync(join(directory, "plant.cjs"), plant);
    try {
      execFileSync(process.execPath, ["--require", join(directory, "plant.cjs"), entry], {
        env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", ...settings() },
        encoding: "utf8",
        stdio: "pipe",
      });
    } catch (error) {
      return (error as { stderr: string }).stderr;
    }
    throw new Error("it did not crash");
  }

  it("names lines of the sources, ours and those of packages", () => {
    const output = crash(join(directory, "main.cjs"));
    expect(output).toMatch(/^sync-trigger: Error: planted\n/);
    expect(output).toContain(`functions/server.ts:${line}:`);
    expect(output).toMatch(/functions\/main\.ts:\d+:/);
    expect(output).not.toContain("sync-trigger.cjs:");
  });

  it("names places in the bundle where the source map is missing", () => {
    const copy = copyBundle("no-map");
    rmSync(join(copy, "sync-trigger.cjs.map"));
    expect(crash(join(copy, "main.cjs"))).toContain("sync-trigger.cjs:");
    rmSync(copy, { recursive: true });
  });
});
