import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTokenVerifier } from "../../functions/auth/tokens.ts";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sync-trigger-tokens-"));
});

afterAll(() => rm(root, { recursive: true }));

async function directoryWith(name: string, files: Record<string, string>): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
  return directory;
}

test("a token is its file's name, white space around it aside", async () => {
  const directory = await directoryWith("good", { page: "a-token-of-the-page\n", cron: "a-token-of-the-cron" });
  const verify = createTokenVerifier(directory);
  expect(await verify("a-token-of-the-page")).toBe("token:page");
  expect(await verify("a-token-of-the-cron")).toBe("token:cron");
});

test.each([
  ["a wrong token", "a-token-of-the-pagf"],
  ["a token's beginning", "a-token-of-the-pag"],
  ["the empty token", ""],
])("%s is refused", async (_what, token) => {
  const directory = await directoryWith("good", { page: "a-token-of-the-page\n", empty: "", hidden: " \n" });
  expect(await createTokenVerifier(directory)(token)).toBeUndefined();
});

test("a file that is too short to be a secret lets nobody in", async () => {
  const directory = await directoryWith("short", { page: "short" });
  expect(await createTokenVerifier(directory)("short")).toBeUndefined();
});

test("an empty directory lets nobody in, a missing one is an error that names no path", async () => {
  expect(await createTokenVerifier(await directoryWith("empty", {}))("a-token-of-the-page")).toBeUndefined();
  await expect(createTokenVerifier(join(root, "missing"))("x")).rejects.toThrow(/^the token files cannot be read/);
});

test("a rotated token counts within seconds, and the old one no longer", async () => {
  const directory = await directoryWith("rotated", { page: "the-old-token-of-the-page" });
  const verify = createTokenVerifier(directory);
  expect(await verify("the-old-token-of-the-page")).toBe("token:page");
  await writeFile(join(directory, "page"), "the-new-token-of-the-page");
  await vi.waitUntil(async () => (await verify("the-new-token-of-the-page")) === "token:page", { timeout: 5_000 });
  expect(await verify("the-old-token-of-the-page")).toBeUndefined();
});
