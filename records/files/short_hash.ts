import { createHash } from "node:crypto";

/** Hashes a text to 12 hexadecimal digits, the first 48 bits of its SHA-256. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
