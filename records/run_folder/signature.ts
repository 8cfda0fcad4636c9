/** Ed25519 signatures of runs: signature.json in the run folder, over the manifest's digest. */

import { join } from "node:path";
import { z } from "zod";
import { FileError } from "../files/file_error.ts";
import { exists } from "../files/exists.ts";
import { readText } from "../files/read_text.ts";
import { writeWhole } from "../files/write_whole.ts";
import { manifestDigest, parseManifest, readManifest } from "./manifest.ts";
import { type RunFiles, textOf } from "./run_files.ts";

const SIGNATURE_SCHEMA = z.object({
  algorithm: z.literal("Ed25519"),
  digest: z.string(),
  signature: z.string(),
});

/** What stands around a key in a file: PKCS #8 and SubjectPublicKeyInfo, as openssl writes them. */
const KINDS = {
  private: { format: "pkcs8", label: "PRIVATE KEY", usage: "sign" },
  public: { format: "spki", label: "PUBLIC KEY", usage: "verify" },
} as const;

type Kind = keyof typeof KINDS;

/**
 * Makes a pair of keys: the private one in a new file that only its owner may read, the public one in
 * `<path>.pub`, whose path it gives back. Needs write permission; FileError where either is there already.
 */
export async function writeNewKeys(path: string): Promise<string> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const publicPath = `${path}.pub`;
  // Neither is written where the other one is there.
  for (const one of [path, publicPath]) {
    if (exists(one)) throw new FileError("write the key", one, { cause: "it exists already" });
  }
  writeNew(path, { text: await pemOf("private", privateKey), mode: 0o600 });
  writeNew(publicPath, { text: await pemOf("public", publicKey), mode: 0o644 });
  return publicPath;
}

/** Reads a private key. Needs read permission; FileError where the file has none. */
export function readPrivateKey(path: string): Promise<CryptoKey> {
  return readKey("private", path);
}

/** Reads a public key. Needs read permission; FileError where the file has none. */
export function readPublicKey(path: string): Promise<CryptoKey> {
  return readKey("public", path);
}

/**
 * Signs the digest of a run folder's manifest, which covers all files through their hashes, and writes
 * signature.json, in place of an older one. Gives back the digest.
 */
export async function signRun(path: string, key: CryptoKey): Promise<string> {
  const digest = manifestDigest(readManifest(path));
  const bytes = await crypto.subtle.sign("Ed25519", key, signedBytes(digest));
  const signature = new Uint8Array(bytes).toBase64();
  const json = JSON.stringify({ algorithm: "Ed25519", digest, signature }, null, 2);
  writeWhole(join(path, "signature.json"), `${json}\n`);
  return digest;
}

/** Why a run is not signed with a key's private one; undefined where it is. */
export async function signatureProblem(
  files: RunFiles,
  key: CryptoKey,
): Promise<string | undefined> {
  const cannot = `Cannot trust the run in "${files.path}"`;
  const text = textOf(files, "signature.json");
  if (text === undefined) return `${cannot}: it has no signature.json`;
  const signed = parseSignature(text);
  if (!signed) return `${cannot}: its signature.json is no signature`;
  const digest = manifestDigest(parseManifest(textOf(files, "manifest.json")!));
  if (signed.digest !== digest) {
    return `${cannot}: its manifest changed since it was signed; digest ${digest}, signed ${signed.digest}`;
  }
  const isSigned = await crypto.subtle.verify("Ed25519", key, signed.bytes, signedBytes(digest));
  return isSigned ? undefined : `${cannot}: its signature was made with another key`;
}

function parseSignature(text: string) {
  try {
    const { digest, signature } = SIGNATURE_SCHEMA.parse(JSON.parse(text));
    return { digest, bytes: Uint8Array.fromBase64(signature) };
  } catch {
    return undefined;
  }
}

/** What is signed says what it is, so that no other use of a key can pass for it. */
function signedBytes(digest: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`shardbench run ${digest}`);
}

async function readKey(kind: Kind, path: string): Promise<CryptoKey> {
  const { format, label, usage } = KINDS[kind];
  try {
    const text = readText(path);
    const body = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`).exec(text)
      ?.[1];
    if (body === undefined) throw new SyntaxError(`no "BEGIN ${label}" in it`);
    const bytes = Uint8Array.fromBase64(body.replaceAll(/\s/g, ""));
    return await crypto.subtle.importKey(format, bytes, "Ed25519", false, [usage]);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.PermissionDenied) {
      throw new FileError(`read the ${kind} key`, path, { cause });
    }
    const found = cause instanceof SyntaxError ? `: ${cause.message}` : "";
    const legal = `legal is an Ed25519 ${kind} key in PEM, such as sign --new-key writes`;
    throw new FileError(`read the ${kind} key`, path, {
      cause: `it is no such key${found}; ${legal}`,
    });
  }
}

async function pemOf(kind: Kind, key: CryptoKey): Promise<string> {
  const { format, label } = KINDS[kind];
  const bytes = new Uint8Array(await crypto.subtle.exportKey(format, key));
  return `-----BEGIN ${label}-----\n${bytes.toBase64()}\n-----END ${label}-----\n`;
}

function writeNew(path: string, { text, mode }: { readonly text: string; readonly mode: number }) {
  try {
    Deno.writeTextFileSync(path, text, { createNew: true, mode });
  } catch (cause) {
    throw new FileError("write the key", path, { cause });
  }
}
