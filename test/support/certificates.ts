import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A key and a certificate that signs itself, both PEM. */
export type Certificate = { key: string; cert: string };

/** Makes a certificate for 127.0.0.1 that lives a day and can stand for a server, a client and its own authority. */
export function makeCertificate(commonName: string): Certificate {
  const directory = mkdtempSync(join(tmpdir(), "sync-trigger-certificate-"));
  const keyPath = join(directory, "key.pem");
  try {
    const cert = execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
        ...["-keyout", keyPath, "-subj", `/CN=${commonName}`],
        ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:api.test"],
      ],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    return { key: readFileSync(keyPath, "utf8"), cert };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
