import { assertEquals, assertThrows } from "@std/assert";
import { FileError } from "../../records/files/file_error.ts";
import { makeFolder, timeText } from "../../records/run_folder/make_folder.ts";
import { inFolder } from "../in_folder.ts";

const START = new Date("2026-03-04T05:06:07.089Z");
const TIME = "2026-03-04T05-06-07Z";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("a time is named in UTC, whole seconds, without colons", () => {
  assertEquals(timeText(START), TIME);
});

Deno.test("results lie under the run's name and time; a second run of one second has a number", () =>
  inFolder((results) => {
    const make = (force = false) => makeFolder("quick", { results, start: START, force });
    assertEquals(make(), `${results}/quick/${TIME}`);
    assertEquals(make(), `${results}/quick/${TIME}-2`);
    assertEquals(make(true), `${results}/quick/${TIME}-3`); // force is about a named folder
    assertEquals(names(`${results}/quick`), [TIME, `${TIME}-2`, `${TIME}-3`]);
  }));

Deno.test("a named folder must be new or empty; force moves what it holds to the next free name", () =>
  inFolder((folder) => {
    const out = `${folder}/a/out`;
    const make = (force = false) => makeFolder("quick", { out, start: START, force });
    assertEquals([make(), make()], [out, out]);
    for (const [round, aside] of ["", "-2", "-3"].entries()) {
      Deno.writeTextFileSync(`${out}/${round}`, "");
      const { message } = assertThrows(() => make(), FileError);
      assertEquals(
        message,
        `Cannot use the run folder "${out}": it is in use or not empty; name a new one, or --resume it`,
      );
      assertEquals([make(true), names(out)], [out, []]);
      assertEquals(names(`${out}.${TIME}${aside}`), [`${round}`]);
    }
  }));

Deno.test("a folder that cannot be made is an error with its path", () =>
  inFolder((folder) => {
    const file = `${folder}/file`;
    Deno.writeTextFileSync(file, "");
    const said = (options: Parameters<typeof makeFolder>[1]) =>
      assertThrows(() => makeFolder("quick", options), FileError).message;
    const state = "a part of the path is a file";
    assertEquals(said({ out: `${file}/a` }), `Cannot make the run folder "${file}/a": ${state}`);
    assertEquals(
      said({ out: `${file}/a`, force: true }),
      `Cannot use the run folder "${file}/a": ${state}`,
    );
    assertEquals(said({ results: file }), `Cannot make the run folder "${file}/quick": ${state}`);
    assertEquals(names(folder), ["file"]);
  }));
