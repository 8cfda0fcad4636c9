import { Command, ValidationError } from "@cliffy/command";
import { Table } from "@cliffy/table";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { parse, stringify } from "@std/csv";
import { format } from "@std/fmt/duration";

// What the project relies on in the packages it is written against, whichever of them it runs on.

Deno.test("assertEquals is deep, minds types and prototypes, and takes -0 for 0", () => {
  assertEquals({ a: [NaN, -0] }, { a: [NaN, 0] });
  assertEquals(new Map([[1, new Set([2, 3])]]), new Map([[1, new Set([3, 2])]]));
  assertEquals<unknown>(Float32Array.of(-0), Float32Array.of(0));
  assertNotEquals<unknown>({ a: undefined }, {});
  assertNotEquals<unknown>(Float32Array.of(1), Float64Array.of(1));
  assertNotEquals<unknown>([1], Float64Array.of(1));
  const { message } = assertThrows(() => assertEquals(1, 2, "they differ"), Error);
  assert(message.startsWith("Values are not equal: they differ"), message);
});

Deno.test("assertThrows and assertRejects return what was thrown and look for the text", async () => {
  const fail = () => {
    throw new RangeError("Cannot cut it");
  };
  assertEquals(assertThrows(fail, RangeError, "cut").message, "Cannot cut it");
  assertThrows(() => assertThrows(fail, TypeError));
  assertThrows(() => assertThrows(fail, RangeError, "sew"));
  assertThrows(() => assertThrows(() => {}));
  const rejected = await assertRejects(() => Promise.reject(new TypeError("no")), TypeError);
  assertEquals(rejected.message, "no");
  await assertRejects(() => assertRejects(() => Promise.resolve(1)));
});

Deno.test("assertAlmostEquals is relative unless told otherwise", () => {
  assertAlmostEquals(1, 1 + 1e-8);
  assertAlmostEquals(0.5, 0.6, 0.11);
  assertThrows(() => assertAlmostEquals(1e-12, 0));
  assertAlmostEquals(Infinity, Infinity);
});

Deno.test("CSV ends every row in CRLF and quotes separators, quotes and line breaks only", () => {
  const rows = [{ a: 'say "x"', b: 1 }, { a: "x,y\nz", b: null }, { a: "=1+1", b: true }];
  const text = stringify(rows, { columns: ["a", "b"] });
  assertEquals(text, 'a,b\r\n"say ""x""",1\r\n"x,y\nz",\r\n=1+1,true\r\n');
  assertEquals(stringify([], { columns: ["a", "b"] }), "a,b\r\n");
  assertEquals(stringify([[1, "x"]]), "1,x\r\n");
  assertThrows(() => stringify([{ a: 1 }]), TypeError);
  assertEquals(parse(text, { skipFirstRow: true }), [
    { a: 'say "x"', b: "1" },
    { a: "x,y\nz", b: "" },
    { a: "=1+1", b: "true" },
  ]);
});

Deno.test("CSV is read with LF or CRLF, without its mark, and ragged rows are named", () => {
  assertEquals(parse("\ufeffa,b\n1,2\r\n\n3,4"), [["a", "b"], ["1", "2"], ["3", "4"]]);
  assertEquals(parse(""), []);
  assertEquals(parse("a\n", { skipFirstRow: true }), []);
  assertThrows(() => parse("a,b\n1\n", { skipFirstRow: true }), Error);
  assertThrows(() => parse('a\n"1', {}), SyntaxError);
});

function command(seen: unknown[]): Command {
  const child = new Command()
    .option("--count-of-things, --count <n:integer>", "How many.")
    .option("--set <path:string>", "Any number of them.", { collect: true })
    .option("--need <file:file>", "Without it nothing goes.", { required: true })
    .option("--flag", "Yes or no.")
    .arguments("[first:string] [...rest:string]")
    .action((options, ...args) => void seen.push(options, args));
  return new Command().name("p").throwErrors().command("child", child);
}

Deno.test("options come under the first long name, typed, from either spelling", async () => {
  const seen: unknown[] = [];
  await command(seen).parse([
    "child",
    "--count=0x10",
    "--set",
    "a=b=c",
    "--set=d",
    "--need",
    "x",
    "--flag",
    "one",
    "two",
    "three",
  ]);
  const [options, args] = seen;
  assertEquals<unknown>(options, {
    countOfThings: 16,
    set: ["a=b=c", "d"],
    need: "x",
    flag: true,
  });
  assertEquals<unknown>(JSON.stringify(args).replaceAll(/[[\]]/g, ""), '"one","two","three"');
});

Deno.test("bad usage rejects with one message and status 2", async () => {
  const cases: [readonly string[], string][] = [
    [["child"], 'Missing required option "--need".'],
    [["child", "--need"], 'Missing value for option "--need".'],
    [["child", "--need", "x", "--count", "1.5"], 'Option "--count'],
    [["child", "--need", "x", "--need", "y"], "can only occur once"],
    [["chil"], 'Unknown command "chil".'],
  ];
  for (const [args, message] of cases) {
    const error = await assertRejects(() => command([]).parse(args), ValidationError, message);
    assertEquals(error.exitCode, 2);
  }
});

Deno.test("a table pads its columns to their widths and holds numbers at the right", () => {
  const lines = new Table().header(["op", "us"]).body([["gemm", "7"], ["add", "12.5"]])
    .columns([{ align: "left" }, { align: "right" }]).padding(2).toString().split("\n");
  assertEquals(lines.map((line) => line.trimEnd()), [
    "op      us",
    "gemm     7",
    "add   12.5",
  ]);
});

Deno.test("durations leave out what is zero", () => {
  assertEquals(format(99_000, { ignoreZero: true }), "1m 39s");
  assertEquals(format(3_600_000, { ignoreZero: true }), "1h");
});
