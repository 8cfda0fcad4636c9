import { assert, assertEquals, assertThrows } from "@std/assert";
import { AppendFile } from "../../records/files/append_file.ts";
import { FileError } from "../../records/files/file_error.ts";
import { FolderLock } from "../../records/files/folder_lock.ts";
import { writeWhole } from "../../records/files/write_whole.ts";
import { CsvWriter } from "../../records/run_folder/csv_writer.ts";
import { makeFolder } from "../../records/run_folder/make_folder.ts";
import { inFolder } from "../in_folder.ts";

/** A folder with a file of the user's, and a link to it of each name. */
function linksTo(folder: string, names: readonly string[]): string {
  const mine = `${folder}/mine.txt`;
  Deno.writeTextFileSync(mine, "mine\n");
  for (const name of names) Deno.symlinkSync(mine, `${folder}/${name}`);
  return mine;
}

Deno.test("a file that is written whole follows no link, neither of its name nor of a draft's", () =>
  inFolder((folder) => {
    const names = ["page.html", "manifest.json"];
    const drafts = names.flatMap((name) => [`${name}.part`, `${name}.tmp`]);
    const mine = linksTo(folder, [...names, ...drafts]);
    for (const name of names) {
      writeWhole(`${folder}/${name}`, "new");
      assert(Deno.lstatSync(`${folder}/${name}`).isFile, name);
      assertEquals(Deno.readTextFileSync(`${folder}/${name}`), "new");
    }
    assertEquals(Deno.readTextFileSync(mine), "mine\n");
    assertEquals(drafts.filter((name) => !Deno.lstatSync(`${folder}/${name}`).isSymlink), []);
  }));

Deno.test("a file that grows, and a lock, are no links, wherever they lead", () =>
  inFolder((folder) => {
    const mine = linksTo(folder, ["samples.jsonl", "kernels.csv", ".lock"]);
    const dangling = `${folder}/links`;
    Deno.symlinkSync(`${folder}/not_there`, dangling);
    const open = (name: string) => AppendFile.open(`${folder}/${name}`, { keepBytes: 0 });
    for (
      const act of [
        () => open("samples.jsonl"),
        () => open("links"),
        () => open("."),
        () => FolderLock.take(folder, { isNew: false }),
        () => new CsvWriter(folder, { suite: "kernels" }),
      ]
    ) assertThrows(act, FileError);
    assertThrows(() => open("samples.jsonl"), FileError, "it is a link, or no regular file");
    assertEquals(Deno.readTextFileSync(mine), "mine\n");
    assertThrows(() => Deno.lstatSync(`${folder}/not_there`), Deno.errors.NotFound);
  }));

Deno.test("--force on a folder that is a link moves what it leads to, and the link stays", () =>
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/disk/results`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/disk/results/mine.txt`, "mine");
    const out = `${folder}/out`;
    Deno.symlinkSync(`${folder}/disk/results`, out);
    const start = new Date("2026-01-02T03:04:05Z");
    assertEquals(makeFolder("a", { out: `${out}/`, force: true, start }), `${out}/`);
    assertEquals(Deno.readLinkSync(out), `${folder}/disk/results`);
    assertEquals([...Deno.readDirSync(out)], []);
    const aside = `${folder}/disk/results.2026-01-02T03-04-05Z/mine.txt`;
    assertEquals(Deno.readTextFileSync(aside), "mine");
    makeFolder("a", { out, force: true, start }); // empty: nothing is to be moved
    assertEquals([...Deno.readDirSync(`${folder}/disk`)].length, 2);
  }));
