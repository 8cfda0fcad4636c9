import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { exists } from "../../records/files/exists.ts";
import { FileError } from "../../records/files/file_error.ts";
import { WholeFile, writeWhole } from "../../records/files/write_whole.ts";
import { readManifest } from "../../records/run_folder/manifest.ts";
import { inFolder } from "../in_folder.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("a file is the old one until the new one is whole; a draft that is given up is removed", () =>
  inFolder((folder) => {
    const path = `${folder}/a.txt`;
    writeWhole(path, "old");
    {
      using file = new WholeFile(path);
      file.append("new ");
      assertEquals(Deno.readTextFileSync(path), "old");
      assertEquals(names(folder).length, 2);
    }
    assertEquals([names(folder), Deno.readTextFileSync(path)], [["a.txt"], "old"]);
    using file = new WholeFile(path);
    file.append("new ");
    file.append("text");
    file.finish();
    assertEquals([names(folder), Deno.readTextFileSync(path)], [["a.txt"], "new text"]);
  }));

Deno.test("a file that cannot be written is an error with its path, and leaves no draft", () =>
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/taken/by`, { recursive: true });
    const taken = `${folder}/taken`;
    assertThrows(() => writeWhole(taken, "text"), FileError, `Cannot write "${taken}"`);
    assertEquals(names(folder), ["taken"]);
    assertThrows(() => writeWhole(`${folder}/no/a.txt`, "text"), FileError, "it is not there");
  }));

Deno.test("what is not there, or would lie under a file, does not exist; what cannot be said is an error", () =>
  inFolder((folder) => {
    writeWhole(`${folder}/a.txt`, "");
    Deno.symlinkSync(`${folder}/nothing`, `${folder}/link`);
    const found = ["a.txt", "link", "", "b.txt", "a.txt/b"].map((name) =>
      exists(`${folder}/${name}`)
    );
    assertEquals(found, [true, true, true, false, false]);
    const error = assertThrows(() => exists(`${folder}/${"x".repeat(300)}`), FileError);
    assert(error.message.startsWith("Cannot look for"), error.message);
  }));

Deno.test("a manifest that was cut off, or is none, says where, what was found and what is legal", () =>
  inFolder((folder) => {
    const refused = (text: string) => {
      Deno.writeTextFileSync(`${folder}/manifest.json`, text);
      return assertThrows(() => readManifest(folder), FileError).message;
    };
    const path = `Cannot read the manifest "${folder}/manifest.json": `;
    assertEquals(
      refused('{\n  "run_id": "a",'),
      `${path}line 2, column 17: found the end of the text; legal: a key in double quotes`,
    );
    assertEquals(
      refused("{x}"),
      `${path}line 1, column 2: found "x"; legal: a key in double quotes`,
    );
    assertStringIncludes(refused('{"run_id": 1}'), "run_id: ");
  }));
