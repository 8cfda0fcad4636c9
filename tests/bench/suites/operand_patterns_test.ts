import { assert, assertEquals } from "@std/assert";
import {
  countWrong,
  largestOperands,
  MAX_EXACT_RANKS,
  operandPatterns,
} from "../../../bench/suites/collectives/operand_patterns.ts";
import { type CollectiveName, COLLECTIVES } from "../../../collectives/registry.ts";

/** Element `index` of a rank's operand: (7 index + 31 pattern) mod 251, around 0, times 2^rank. */
function operandValue(rank: number, index: number, pattern: number): number {
  return ((7 * index + 31 * pattern) % 251 - 125) * 2 ** rank;
}

Deno.test("operands are known numbers of element, rank and pattern, also behind the first period", () => {
  const shape = { rank: 2, ranks: 4, count: 1700, inPlace: false };
  const patterns = operandPatterns(COLLECTIVES.all_reduce, shape);
  assertEquals(patterns.length, 2);
  patterns.forEach(({ operand, expected }, pattern) => {
    assertEquals([...operand], Array.from({ length: 1700 }, (_, i) => operandValue(2, i, pattern)));
    const sum = (i: number) =>
      [0, 1, 2, 3].reduce((s, rank) => s + operandValue(rank, i, pattern), 0);
    assertEquals([...expected], Array.from({ length: 1700 }, (_, i) => sum(i)));
  });
  assertEquals([patterns[0]!.operand[0], patterns[0]!.operand[1]], [-500, -472]);
  assertEquals(patterns[1]!.operand[0], (31 - 125) * 4);
});

Deno.test("what a rank must get is what its collective makes of every element, wherever chunks begin", () => {
  for (const op of Object.keys(COLLECTIVES) as CollectiveName[]) {
    for (const [ranks, count] of [[1, 6], [3, 1300], [4, 2], [5, 2600]] as const) {
      for (let rank = 0; rank < ranks; rank++) {
        const shape = { rank, ranks, count, inPlace: false };
        const collective = COLLECTIVES[op];
        const [own, result] = [collective.operand(shape), collective.result(shape)];
        operandPatterns(collective, shape).forEach(({ operand, expected }, pattern) => {
          const value = (from_: number, i: number) => operandValue(from_, i, pattern);
          const label = `${op} ${ranks} ranks ${count} elements rank ${rank}`;
          const right = Array.from(
            { length: result.end - result.start },
            (_, i) => collective.expected(value, result.start + i, shape),
          );
          assertEquals([...expected], right, label);
          const given = Array.from(
            { length: own.end - own.start },
            (_, i) => value(rank, own.start + i),
          );
          assertEquals([...operand], given, label);
        });
      }
    }
  }
});

Deno.test("no result is right for the other pattern, and no sum of operands is rounded", () => {
  const shape = { rank: 0, ranks: MAX_EXACT_RANKS, count: 600, inPlace: false };
  const [first, second] = operandPatterns(COLLECTIVES.all_reduce, shape);
  assert(first!.expected.every((value, i) => value !== second!.expected[i]));
  const largest = largestOperands(MAX_EXACT_RANKS);
  assertEquals([largest[0], largest[1], largest[15], largest.length], [
    125,
    250,
    125 * 2 ** 15,
    16,
  ]);
  const most = largest.reduce((sum, value) => sum + value, 0);
  assert(most < 2 ** 24 && most + 125 * 2 ** 16 < 2 ** 25, `${most}`);
});

Deno.test("an element is wrong where it is off by more than the tolerance; none means infinitely", () => {
  const wrong = (found: readonly number[], expected: readonly number[], tolerance: number) =>
    countWrong(Float32Array.from(found), Float32Array.from(expected), tolerance);
  assertEquals(wrong([1, 2, 3], [1, 2, 3], 0), { elements: 0, error: 0 });
  assertEquals(wrong([1, 4, 2.5], [1, 2, 3], 0), { elements: 2, error: 2 });
  assertEquals(wrong([1, 4, 2.5], [1, 2, 3], 0.5), { elements: 1, error: 2 });
  assertEquals(wrong([1, 4, 2.5], [1, 2, 3], 2), { elements: 0, error: 2 });
  assertEquals(wrong([NaN, 2, 2], [1, 2, 3], 10), { elements: 1, error: Infinity });
  assertEquals(wrong([1, 2, 3, 9], [1, 2, 3], 0), { elements: 0, error: 0 });
});
