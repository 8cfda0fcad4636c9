import { createHash } from "node:crypto";

/** Hashes a text to 12 hexadecimal digits, the first 48 bits of its SHA-256. */
export function shortHash(text: string): string {
  return sha256(text).slice(0, 12);
}

/** The SHA-256 of bytes, or of a text as UTF-8: 64 hexadecimal digits. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
