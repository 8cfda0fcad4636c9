import { assertEquals, assertThrows } from "@std/assert";
import { shortHash } from "../../records/files/short_hash.ts";
import {
  hashRecord,
  parseSamples,
  sampleLine,
  wholeLinesBytes,
} from "../../records/run_folder/sample_record.ts";
import { inFolder } from "../in_folder.ts";

const RECORD = {
  row_key: "k1",
  series: { host_us: [1.5, 2] },
  facts: { flops: 3 },
  row: { a: "b" },
};

Deno.test("a record is a line of JSON with the hash of all else in it", () => {
  const hash = shortHash('["k1",{"host_us":[1.5,2]},{"flops":3},{"a":"b"}]');
  assertEquals(hashRecord(RECORD), hash);
  assertEquals(
    sampleLine(RECORD),
    `{"row_key":"k1","series":{"host_us":[1.5,2]},"facts":{"flops":3},"row":{"a":"b"},"hash":"${hash}"}\n`,
  );
  const bare = { row_key: "k1", series: {} };
  assertEquals(hashRecord(bare), shortHash('["k1",{},null,null]'));
});

Deno.test("records are read by key, the last one of a key; empty and cut lines are none", () => {
  const later = { ...RECORD, series: { host_us: [9] } };
  const other = { row_key: "k2", series: {} };
  const text = `\uFEFF${sampleLine(RECORD)}\n${sampleLine(other)}${sampleLine(later)}{"row_key"`;
  assertEquals(
    parseSamples(text),
    new Map([
      ["k1", { ...later, hash: hashRecord(later) }],
      ["k2", { ...other, hash: hashRecord(other) }],
    ]),
  );
  assertEquals(parseSamples("").size, 0);
});

Deno.test("a line that is no JSON, or no record, is named by its number", () => {
  const said = (text: string) => assertThrows(() => parseSamples(text), SyntaxError).message;
  const line = sampleLine(RECORD);
  assertEquals(said(`${line}{\n`), "line 2 is no JSON");
  assertEquals(said(`${line}${line}{}\n`), "line 3 has not the samples of a row");
  assertEquals(said('{"row_key":"k","series":{"a":1}}\n'), "line 1 has not the samples of a row");
});

Deno.test("whole lines are counted in bytes, the byte order mark among them", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    assertEquals(wholeLinesBytes(path), 0);
    for (const [text, bytes] of [["", 0], ["a", 0], ["ä\n", 3], ["\uFEFFä\nb\nc", 8]] as const) {
      Deno.writeTextFileSync(path, text);
      assertEquals(wholeLinesBytes(path), bytes, text);
    }
  }));
