import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { canonicalJson } from "../../records/files/canonical_json.ts";
import { sha256, shortHash } from "../../records/files/short_hash.ts";
import {
  configurationHash,
  type Manifest,
  manifestDigest,
  manifestText,
  parseManifest,
} from "../../records/run_folder/manifest.ts";

const MANIFEST: Manifest = {
  schema_version: 2,
  run_id: "a",
  started_at: "b",
  configuration: { z: 1, a: 2 },
  configuration_hash: "c",
};

Deno.test("canonical JSON has its keys in order, at every depth, and no undefined field", () => {
  const value = { b: [{ d: 1, c: undefined, a: null }, undefined], B: "x", a: { 2: 1, 10: 2 } };
  assertEquals(
    canonicalJson(value),
    '{"B":"x","a":{"2":1,"10":2},"b":[{"a":null,"d":1},null]}',
  );
  assertEquals(canonicalJson({ a: 1, b: 2, c: 3 }), canonicalJson({ c: 3, b: 2, a: 1 }));
  assertEquals([canonicalJson(1), canonicalJson("a"), canonicalJson(null)], ["1", '"a"', "null"]);
});

Deno.test("a digest is the hash of all but the digest, in whatever order it is written", () => {
  const text = '{"configuration":{"a":2,"z":1},"configuration_hash":"c","run_id":"a",' +
    '"schema_version":2,"started_at":"b"}';
  const digest = sha256(text);
  const { run_id, ...rest } = MANIFEST;
  const other: Manifest = { ...rest, run_id, digest: "old" };
  assertEquals([manifestDigest(MANIFEST), manifestDigest(other)], [digest, digest]);
  assertNotEquals(manifestDigest({ ...MANIFEST, run_id: "b" }), digest);
  assertEquals(manifestText(other), `${JSON.stringify({ ...other, digest }, null, 2)}\n`);
  assertEquals(parseManifest(manifestText(other)), { ...other, digest });
});

Deno.test("what is no manifest is refused, field by field", () => {
  const said = (json: unknown) =>
    assertThrows(() => parseManifest(JSON.stringify(json)), SyntaxError).message;
  assertEquals(said(7).startsWith("the file: "), true, said(7));
  const { run_id: _, ...rest } = MANIFEST;
  const problems = said({ ...rest, schema_version: 1.5, parts: [] }).split("; ");
  assertEquals(problems.map((problem) => problem.split(":")[0]), [
    "schema_version",
    "run_id",
    "parts",
  ]);
  assertEquals(
    said({ ...MANIFEST, rows: { kernels: { k1: 1 } } }).split(":")[0],
    "rows.kernels.k1",
  );
});

Deno.test("a configuration's hash covers the model's sizes, and neither schema nor path", () => {
  const model = { layers: 1 };
  const hash = configurationHash({ document: { seed: 0, name: "a" }, model });
  assertEquals(hash, shortHash('{"model":{"layers":1},"name":"a","seed":0}'));
  assertEquals(
    configurationHash({ document: { $schema: "x", model: "/m.json", name: "a", seed: 0 }, model }),
    hash,
  );
  assertNotEquals(configurationHash({ document: { seed: 0, name: "a" }, model: {} }), hash);
});
