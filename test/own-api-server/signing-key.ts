import { generateKeyPairSync } from "node:crypto";

/** A key pair that signs ServiceAccount tokens, both PEM. */
export type SigningKey = { privateKey: string; publicKey: string };

/** Makes one: RSA, as most clusters have it. */
export function makeSigningKey(): SigningKey {
  return generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}
