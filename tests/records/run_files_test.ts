import { assertEquals, assertThrows } from "@std/assert";
import { AppendFile } from "../../records/files/append_file.ts";
import { FileError } from "../../records/files/file_error.ts";
import { FolderLock } from "../../records/files/folder_lock.ts";
import { END_OF_TEXT, locateJsonError } from "../../records/files/locate_json_error.ts";
import { readCommit } from "../../records/run_folder/commit.ts";
import { sha256 } from "../../records/files/short_hash.ts";
import { sourcesHash } from "../../records/run_folder/sources_hash.ts";
import { loadRun } from "../../records/run_folder/load_run.ts";
import { inFolder } from "../in_folder.ts";

const REFERENCE = new URL("../../results/reference/", import.meta.url).pathname;
const ID = "0123456789abcdef0123456789abcdef01234567";

Deno.test("the state of a file is said in words, whatever the system calls it", () => {
  const { errors } = Deno;
  const withCode = (code: string) => Object.assign(new Error("of the system"), { code });
  for (
    const [cause, state] of [
      ["a word", "a word"],
      [withCode("ENOSPC"), "the disk is full"],
      [withCode("EROFS"), "the file system is read-only"],
      [withCode("EIO"), "of the system"],
      [new errors.NotCapable("x"), "Deno has no permission for it"],
      [new errors.PermissionDenied("x"), "permission denied"],
      [new errors.NotFound("x"), "it is not there"],
      [new errors.AlreadyExists("x"), "it exists already"],
      [new errors.NotADirectory("x"), "a part of the path is a file"],
      [7, "7"],
    ] as const
  ) assertEquals(new FileError("read", "a", { cause }).message, `Cannot read "a": ${state}`);
});

Deno.test("a file that is opened to append keeps what it is told to keep, and is cut to it", () =>
  inFolder((folder) => {
    const path = `${folder}/a.txt`;
    for (const [keepBytes, piece] of [[0, "one\ntwo"], [4, "2\n"], [6, "drei\n"]] as const) {
      using file = AppendFile.open(path, { keepBytes });
      file.append(piece.slice(0, 2));
      file.append(piece.slice(2));
    }
    assertEquals(Deno.readTextFileSync(path), "one\n2\ndrei\n");
    AppendFile.open(path, { keepBytes: 4 })[Symbol.dispose]();
    assertEquals(Deno.readTextFileSync(path), "one\n");
    assertThrows(() => AppendFile.open(folder, { keepBytes: 0 }), FileError, "Cannot open");
  }));

Deno.test("a file that was removed or replaced while it was appended to is not written to in silence", () =>
  inFolder((folder) => {
    const path = `${folder}/a.txt`;
    using file = AppendFile.open(path, { keepBytes: 0 });
    file.append("one");
    Deno.removeSync(path);
    assertThrows(() => file.append("two"), FileError, "it is not there");
    Deno.writeTextFileSync(path, "another");
    assertThrows(() => file.append("two"), FileError, "another file has its name by now");
    assertEquals(Deno.readTextFileSync(path), "another");
  }));

Deno.test("a folder has one lock; one that was freed is taken again, unless the folder must be new", () =>
  inFolder((folder) => {
    const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
    {
      using lock = FolderLock.take(folder, { isNew: true });
      assertEquals([lock.folder, names()], [folder, [".lock"]]);
      for (const isNew of [true, false]) {
        assertThrows(() => FolderLock.take(folder, { isNew }), FileError, "another run uses it");
      }
    }
    assertEquals(names(), []);
    FolderLock.take(folder, { isNew: false })[Symbol.dispose]();
    Deno.writeTextFileSync(`${folder}/.lock`, ""); // left behind by a run that was killed
    assertThrows(() => FolderLock.take(folder, { isNew: true }), FileError, "another run uses it");
    FolderLock.take(folder, { isNew: false })[Symbol.dispose]();
    const gone = `${folder}/gone`;
    assertThrows(() => FolderLock.take(gone, { isNew: false }), FileError, "it is not there");
  }));

Deno.test("the first place that is no JSON is found, with what would be legal there", () => {
  const place = (text: string) => {
    const found = locateJsonError(text);
    return found && [found.line, found.column, found.found, found.legal];
  };
  for (
    const legal of [
      "1",
      " [ ] ",
      "{}",
      '{"a": [1, -2.5e3, true, null], "b": {"c": "\\u00e4\\n"}}\n',
    ]
  ) assertEquals(place(legal), undefined, legal);
  for (
    const [text, ...expected] of [
      ["", 1, 1, END_OF_TEXT, "a value"],
      ["[1, 2", 1, 6, END_OF_TEXT, '"," or "]"'],
      ["[1,\n 2,]", 2, 4, "]", "a value"],
      ['{"a" 1}', 1, 6, "1", '":"'],
      ["{\n  a: 1\n}", 2, 3, "a", "a key in double quotes"],
      ['{"a": 1} x', 1, 10, "x", "nothing more"],
      ["[01]", 1, 3, "1", '"," or "]"'],
      ['"a\nb"', 1, 1, '"', "a value"],
      ["nul", 1, 1, "nul", "a value"],
      ["[".repeat(501), 1, 502, END_OF_TEXT, "at most 500 levels"],
      ["[".repeat(500), 1, 501, END_OF_TEXT, "a value"],
    ] as const
  ) assertEquals(place(text), expected, text.slice(0, 20));
  assertEquals(place(`[${Array(600).fill("[]").join()}]`), undefined); // beside each other, not inside
});

Deno.test("a run is its folder, or one file with what lies beside it, under any name", () =>
  inFolder((folder) => {
    const whole = loadRun(REFERENCE);
    assertEquals(whole.suites.map(({ suite }) => suite), ["kernels", "collectives", "schedules"]);
    const path = `${REFERENCE}kernels.csv`;
    const one = loadRun(path);
    assertEquals([one.path, one.suites.map(({ suite }) => suite)], [path, ["kernels"]]);
    assertEquals(one.suites[0]!.rows, whole.suites[0]!.rows);
    assertEquals([one.manifest, one.samples.size], [whole.manifest, whole.samples.size]);
    // Alone it has neither manifest nor samples.
    const renamed = `${folder}/baseline.csv`;
    Deno.copyFileSync(path, renamed);
    const alone = loadRun(renamed);
    assertEquals([alone.suites[0]!.suite, alone.manifest], ["kernels", undefined]);
    assertEquals([alone.suites[0]!.rows, alone.samples.size], [one.suites[0]!.rows, 0]);
    assertThrows(() => loadRun(folder), FileError, "it has none of kernels.csv");
    assertThrows(() => loadRun(`${folder}/no`), FileError, "it is not there");
    Deno.writeTextFileSync(`${folder}/kernels.csv`, "a,b\n1,2\n");
    assertThrows(() => loadRun(folder), FileError, "it is no file of this suite");
    Deno.copyFileSync(path, `${folder}/kernels.csv`);
    assertThrows(() => loadRun(folder), FileError, "manifest.json");
  }));

Deno.test("the hash of the sources is sha256sum's of all that is run, and of nothing else", () =>
  inFolder((folder) => {
    const root = new URL(`file://${folder}/`);
    const write = (path: string, text: string) => {
      Deno.mkdirSync(new URL(".", new URL(path, root)), { recursive: true });
      Deno.writeTextFileSync(new URL(path, root), text);
    };
    write("mod.ts", "a");
    write("kernels/add.wgsl", "b");
    const line = (path: string, text: string) => `${sha256(text)}  ${path}\n`;
    const expected = sha256(line("kernels/add.wgsl", "b") + line("mod.ts", "a"));
    assertEquals(sourcesHash(root), expected);
    for (
      const path of ["tests/a.ts", ".git/b.ts", "results/c.wasm", "README.md", "configs/a.json"]
    ) {
      write(path, "other");
    }
    assertEquals(sourcesHash(root), expected);
    const seen = new Set([expected]);
    for (const path of ["mod.ts", "kernels/add.wgsl", "collectives/reduce.wasm", "deno.lock"]) {
      write(path, "changed");
      seen.add(sourcesHash(root)!);
    }
    assertEquals(seen.size, 5);
    assertEquals(sourcesHash(new URL("https://example.com/")), null);
  }));

Deno.test("the commit is that of the branch, packed or not, of a worktree, or of nothing", () =>
  inFolder((folder) => {
    const root = new URL(`file://${folder}/`);
    const write = (path: string, text: string) => {
      Deno.mkdirSync(new URL(".", new URL(path, root)), { recursive: true });
      Deno.writeTextFileSync(new URL(path, root), text);
    };
    const read = (url: URL = root) => readCommit(url);
    const on = (branch: string | null, id = ID) => ({ id, branch, dirty: null });
    assertEquals(read(), null);
    assertEquals(read(new URL("https://example.com/")), null);
    write(".git/HEAD", "ref: refs/heads/a/b\n");
    assertEquals(read(), null);
    write(
      ".git/packed-refs",
      `# pack-refs\n${ID.replace("0", "f")} refs/heads/b\n${ID} refs/heads/a/b\n`,
    );
    assertEquals(read(), on("a/b"));
    write(".git/refs/heads/a/b", `${ID.replace("0", "e")}\n`);
    assertEquals(read(), on("a/b", ID.replace("0", "e")));
    write(".git/HEAD", `${ID}\n`);
    assertEquals(read(), on(null));
    write(".git/HEAD", "no commit\n");
    assertEquals(read(), null);
    write(".git/HEAD", `${ID}\n`);
    for (const [changes, dirty] of [["", false], [" M a.ts\n", true], [undefined, null]] as const) {
      assertEquals(readCommit(root, () => changes), { id: ID, branch: null, dirty });
    }
    write(".git/HEAD", "no commit\n");
    // A worktree points to a folder of its own, which shares the branches.
    write("main/refs/heads/work", `${ID}\n`);
    write("main/worktrees/one/HEAD", "ref: refs/heads/work\n");
    write("main/worktrees/one/commondir", "../..\n");
    write("one/.git", "gitdir: ../main/worktrees/one\n");
    assertEquals(read(new URL("one/", root)), on("work"));
  }));
