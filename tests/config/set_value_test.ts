import { assertEquals } from "@std/assert";
import { setValue } from "../../config/_set_value.ts";

/** A document after assignments that all succeed. */
function after(document: Record<string, unknown>, ...assignments: readonly string[]) {
  for (const text of assignments) assertEquals(setValue(document, text), undefined, text);
  return document;
}

Deno.test("a value is set where its path leads; objects and lists on the way are made", () => {
  assertEquals(after({}, "a=1"), { a: 1 });
  assertEquals(after({ a: 1, b: 2 }, "a="), { a: "", b: 2 });
  assertEquals(after({}, "a.b.c=true"), { a: { b: { c: true } } });
  assertEquals(after({}, "a.0=x", "a.1=y"), { a: ["x", "y"] });
  assertEquals(after({}, "a.0.b=[1]"), { a: [{ b: [1] }] });
  assertEquals(after({}, "a.00=1"), { a: { "00": 1 } });
  assertEquals(after({ a: [1, 2] }, "a.0=3", "a.2=4"), { a: [3, 2, 4] });
  assertEquals(after({ a: { b: 1 } }, "a.c=1"), { a: { b: 1, c: 1 } });
});

Deno.test("the value is what follows the first equals sign: JSON, or else a text", () => {
  assertEquals(after({}, "a=b=c", 'd="e"', "f=null", "g={", "h= 2"), {
    a: "b=c",
    d: "e",
    f: null,
    g: "{",
    h: 2,
  });
});

Deno.test("an assignment that cannot be is a problem and changes no value", () => {
  const said = (document: Record<string, unknown>, text: string) =>
    setValue(document, text)?.message;
  assertEquals(said({}, "a"), '--set: found "a"; legal: path=value');
  assertEquals(said({}, "=1"), '--set: found "=1"; legal: path=value');
  const list = { a: [1] };
  for (const key of ["2", "-1", "x", "01"]) {
    assertEquals(
      said(list, `a.${key}=0`),
      `a.${key}: found "${key}" under [1]; legal: a place in the list, 0 to 1`,
    );
  }
  for (const value of [1, null, "t"]) {
    assertEquals(
      said({ a: value }, "a.b.c=1"),
      `a.b.c: found "b" under ${JSON.stringify(value)}; legal: a path through objects and lists`,
    );
  }
  for (const key of ["", "__proto__"]) {
    assertEquals(
      said({ a: {} }, `a.${key}=1`),
      `a.${key}: found "${key}" under {}; legal: a dotted path of keys, such as kernels.tokens.0`,
    );
  }
  assertEquals(list, { a: [1] });
});
