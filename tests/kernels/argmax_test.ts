import { assertEquals } from "@std/assert";
import { argmax } from "../../kernels/argmax.ts";
import { operation } from "../../kernels/operation.ts";
import { closeSharedDevice, sharedDevice } from "../device/open_device.ts";

const NONE = 0xffffffff;
/** Rows of 300 columns, of which 280 may win. */
const SIZE = { columns: 300, valid: 280 };

/** A row that is -1 but for some columns. */
function row(values: Readonly<Record<number, number>>): number[] {
  const made = new Array<number>(SIZE.columns).fill(-1);
  for (const [column, value] of Object.entries(values)) made[Number(column)] = value;
  return made;
}

const ROWS: readonly (readonly [what: string, row: readonly number[], expected: number])[] = [
  ["the largest", row({ 0: 1, 77: 5, 279: 4 }), 77],
  ["the lowest of equals", row({ 5: 2, 261: 2, 9: 2 }), 5],
  ["the last that may win", row({ 279: 3 }), 279],
  ["padding is larger", row({ 3: 0, 280: 9, 299: 10 }), 3],
  ["padding is no number", row({ 3: 0, 280: NaN, 299: Infinity }), 3],
  ["the first is no number", row({ 0: NaN, 5: 2 }), NONE],
  ["the last is no number", row({ 279: NaN, 5: 2 }), NONE],
  ["one is no number", row({ 130: NaN, 5: 2, 131: 3 }), NONE],
  ["one is infinite", row({ 130: Infinity }), NONE],
  ["one is minus infinite", row({ 264: -Infinity, 2: 1 }), NONE],
  ["none is a number", new Array<number>(SIZE.columns).fill(NaN), NONE],
];

const OPERATION = operation(argmax, { rows: ROWS.length, ...SIZE });
const EXPECTED = ROWS.map(([what, , expected]) => [what, expected] as const);
const said = (found: Uint32Array) => ROWS.map(([what], i) => [what, found[i]!] as const);

Deno.test("argmax: padding never wins, and a row that is not finite has no largest element", () => {
  const out = new Uint32Array(ROWS.length);
  OPERATION.reference({ x: Float64Array.from(ROWS.flatMap(([, values]) => values)), out });
  assertEquals(said(out), EXPECTED);
});

for (const variant of OPERATION.variants) {
  Deno.test(`argmax/${variant.name} says the same of rows that are not finite`, async () => {
    const device = await sharedDevice();
    using x = device.allocate({ label: "x", bytes: 4 * SIZE.columns * ROWS.length });
    using out = device.allocate({ label: "out", bytes: 4 * ROWS.length });
    device.upload(x, Float32Array.from(ROWS.flatMap(([, values]) => values)));
    const dispatch = device.bind(variant.program(), { x, out });
    device.run([dispatch]);
    const found = new Uint32Array(await device.download(out, 4 * ROWS.length));
    dispatch.params?.destroy();
    assertEquals(said(found), EXPECTED);
  });
}

Deno.test.afterAll(closeSharedDevice);
