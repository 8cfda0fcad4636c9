import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../records/files/file_error.ts";
import { readRunFiles } from "../../records/run_folder/run_files.ts";
import {
  readPrivateKey,
  readPublicKey,
  signatureProblem,
  signRun,
  writeNewKeys,
} from "../../records/run_folder/signature.ts";
import { inFolder } from "../in_folder.ts";
import { sealed, smallRun } from "../report/small_run.ts";

Deno.test("a signed run is trusted with its key only, and only as it was signed", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    Deno.mkdirSync(run);
    const texts = smallRun();
    const write = (files: Readonly<Record<string, string>>) =>
      Object.entries(files).forEach(([name, text]) =>
        Deno.writeTextFileSync(`${run}/${name}`, text)
      );
    write(texts);
    const [own, other] = [await writeNewKeys(`${folder}/a`), await writeNewKeys(`${folder}/b`)];
    const problem = async (path: string) =>
      await signatureProblem(readRunFiles(run), await readPublicKey(path)) ?? "none";
    assertStringIncludes(await problem(own), "it has no signature.json");

    const digest = await signRun(run, await readPrivateKey(`${folder}/a`));
    assertEquals(digest, JSON.parse(texts["manifest.json"]!).digest);
    assertEquals(await problem(own), "none");
    assertStringIncludes(await problem(other), "made with another key");

    const { "manifest.json": _old, ...rest } = texts;
    write(sealed({ ...rest, "report.html": "another" }));
    assertStringIncludes(await problem(own), "changed since it was signed");
    write(texts);
    const signature = Deno.readTextFileSync(`${run}/signature.json`);
    Deno.writeTextFileSync(
      `${run}/signature.json`,
      signature.replace(/(?<="signature": ".)./, "!"),
    );
    assertStringIncludes(await problem(own), "is no signature");
  }));

Deno.test("keys are never overwritten, and only their owner may read the private one", () =>
  inFolder(async (folder) => {
    const path = `${folder}/key`;
    assertEquals(await writeNewKeys(path), `${path}.pub`);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    const key = Deno.readTextFileSync(path);
    await assertRejects(() => writeNewKeys(path), FileError, "it exists already");
    Deno.removeSync(path);
    await assertRejects(() => writeNewKeys(path), FileError, "key.pub");
    assert(!key.includes("PUBLIC"));
  }));

Deno.test("a file that has no key, or the other one of the pair, is refused with what is legal", () =>
  inFolder(async (folder) => {
    await writeNewKeys(`${folder}/key`);
    const refused = async (read: (path: string) => Promise<unknown>, name: string) =>
      (await assertRejects(() => read(`${folder}/${name}`), FileError)).message;
    assertStringIncludes(await refused(readPublicKey, "key"), "legal is an Ed25519 public key");
    assertStringIncludes(await refused(readPrivateKey, "key.pub"), "Ed25519 private key in PEM");
    assertStringIncludes(await refused(readPrivateKey, "nothing"), "it is not there");
    for (const body of ["AAAA", "=", ""]) {
      const text = `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
      Deno.writeTextFileSync(`${folder}/odd`, text);
      assertStringIncludes(await refused(readPublicKey, "odd"), "it is no such key");
    }
  }));
