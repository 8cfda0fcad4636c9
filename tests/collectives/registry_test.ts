import { assertAlmostEquals, assertEquals } from "@std/assert";
import { unsupported } from "../../collectives/collective.ts";
import { type CollectiveName, COLLECTIVES } from "../../collectives/registry.ts";
import { chunk, resultWords, sourceWords, wrap } from "../../collectives/step_program.ts";

/** Of 2, 4 and 5 ranks: the factors of nccl-tests (doc/PERFORMANCE.md), gather and argmax as all_gather. */
const FACTORS: Readonly<Record<CollectiveName, readonly number[]>> = {
  all_reduce: [1, 1.5, 1.6],
  all_gather: [0.5, 0.75, 0.8],
  gather: [0.5, 0.75, 0.8],
  reduce_scatter: [0.5, 0.75, 0.8],
  argmax: [0.5, 0.75, 0.8],
  broadcast: [1, 1, 1],
  send_recv: [1, 1, 1],
};

Deno.test("the bus bandwidth of each collective has the factor of nccl-tests", () => {
  assertEquals(Object.keys(FACTORS).sort(), Object.keys(COLLECTIVES).sort());
  for (const [name, factors] of Object.entries(FACTORS)) {
    const { busbwFactor } = COLLECTIVES[name as CollectiveName];
    [2, 4, 5].forEach((ranks, i) => assertAlmostEquals(busbwFactor(ranks), factors[i]!, 1e-12));
  }
});

Deno.test("chunks follow each other, differ by one element at most, and ranks go round", () => {
  assertEquals([0, 1, 2].map((rank) => chunk(8, 3, rank)), [
    { start: 0, end: 2 },
    { start: 2, end: 5 },
    { start: 5, end: 8 },
  ]);
  assertEquals([-4, -1, 0, 2, 3, 7].map((value) => wrap(value, 3)), [2, 2, 0, 2, 0, 1]);
});

/** What element `index` of a rank's result must be, where rank r has 100 r + index. */
function expected(
  name: CollectiveName,
  index: number,
  { count = 8, ranks = 3, rank = 0 } = {},
): number {
  const operand = (from_: number, at: number) => 100 * from_ + at;
  return COLLECTIVES[name].expected(operand, index, { count, ranks, rank, inPlace: false });
}

Deno.test("expected results by hand: sums, chunks of their owners, the root's, the neighbour's", () => {
  assertEquals(expected("all_reduce", 7), 7 + 107 + 207);
  assertEquals(expected("reduce_scatter", 2), 2 + 102 + 202);
  const gathered = Array.from({ length: 8 }, (_, i) => expected("all_gather", i));
  assertEquals(gathered, [0, 1, 102, 103, 104, 205, 206, 207]);
  assertEquals([4, 5].map((i) => expected("gather", i)), [104, 205]);
  assertEquals(expected("broadcast", 3, { rank: 2 }), 3);
  assertEquals([0, 1, 2].map((rank) => expected("send_recv", 3, { rank })), [203, 3, 103]);
});

Deno.test("the best pair is the one of the largest value, of equals that of the least index", () => {
  const pairs = [[5, 30], [7, 20], [7, 10], [6, 0]] as const;
  const operand = (rank: number, at: number) => pairs[rank]![at % 2]!;
  const best = (order: readonly number[]) =>
    [2, 3].map((index) =>
      COLLECTIVES.argmax.expected((rank, at) => operand(order[rank]!, at), index, {
        count: 4,
        ranks: 4,
        rank: 1,
        inPlace: false,
      })
    );
  for (const order of [[0, 1, 2, 3], [2, 1, 0, 3], [3, 0, 2, 1]]) {
    assertEquals(best(order), [7, 10]);
  }
});

Deno.test("a gather's root has all of it, every other rank nothing; a scatter leaves each its chunk", () => {
  const of = (name: CollectiveName, rank: number) =>
    COLLECTIVES[name].result({ count: 8, ranks: 3, rank, inPlace: false });
  assertEquals([0, 1, 2].map((rank) => of("gather", rank)), [
    { start: 0, end: 8 },
    { start: 0, end: 0 },
    { start: 0, end: 0 },
  ]);
  assertEquals(of("reduce_scatter", 1), { start: 2, end: 5 });
  assertEquals(of("all_gather", 1), { start: 0, end: 8 });
});

Deno.test("an int8 all-reduce may be off by half a step of every rank's block, and rounding", () => {
  const { errorBound } = COLLECTIVES.all_reduce.algorithms["one_shot_int8"]!;
  assertAlmostEquals(errorBound!([127, 254, 0]), 381 / 254 + 381 * 3 / 2 ** 23, 1e-12);
});

Deno.test("recursive doubling needs a power of two", () => {
  const legal = [1, 2, 3, 4, 6, 8].filter((ranks) =>
    !unsupported(COLLECTIVES.all_reduce, "recursive_doubling", ranks)
  );
  assertEquals(legal, [1, 2, 4, 8]);
  assertEquals(unsupported(COLLECTIVES.all_reduce, "ring", 6), undefined);
});

Deno.test("quantised, 32 elements take 9 words, and so does what is left of them", () => {
  const words = (count: number) => [
    resultWords({ count, how: "quantise" }),
    sourceWords({ count, how: "sum_quantised" }),
    resultWords({ count, how: "sum_quantised" }),
    sourceWords({ count, how: "quantise" }),
    resultWords({ count }),
    sourceWords({ count }),
  ];
  assertEquals(words(64), [18, 18, 64, 64, 64, 64]);
  assertEquals(words(65), [27, 27, 65, 65, 65, 65]);
});
