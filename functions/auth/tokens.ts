import { createHash, timingSafeEqual } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Verify } from "../auth.ts";
import { Fault } from "../errors.ts";

/** How old our knowledge of the files may be: a rotated Secret counts this soon after the kubelet wrote it. */
const freshForMs = 2_000;
/** Shorter ones could be guessed, and an empty file must not let an empty token in. */
const leastLength = 16;

type KnownToken = { name: string; digest: Buffer };

/**
 * Verifies static tokens: each file of a directory (a mounted Secret) holds one, and its name is who the caller is,
 * `token:NAME`. Several may be valid at a time, so that a rotation loses no request.
 */
export function createTokenVerifier(directory: string): Verify {
  let known: Promise<KnownToken[]> | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return async (credential) => {
    if (!known || performance.now() - readAtMs > freshForMs) {
      readAtMs = performance.now();
      known = readTokens(directory);
    }
    const digest = toDigest(credential);
    // Every token is compared, and digests are of one length, so that the time taken tells nothing.
    let found: string | undefined;
    for (const token of await known) if (timingSafeEqual(token.digest, digest)) found = token.name;
    return found === undefined ? undefined : `token:${found}`;
  };
}

async function readTokens(directory: string): Promise<KnownToken[]> {
  try {
    // A mounted Secret's own machinery begins with two dots.
    const names = (await readdir(directory)).filter((name) => !name.startsWith("."));
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8").catch(toEmpty)));
    return names.flatMap((name, index) => {
      const token = texts[index]?.trim() ?? "";
      return token.length < leastLength ? [] : [{ name, digest: toDigest(token) }];
    });
  } catch (cause) {
    throw new Fault("internal-error", "the token files cannot be read; see the log", { cause });
  }
}

/** A file that was removed since the directory was listed holds no token. */
function toEmpty(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}

function toDigest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
