import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Collective, unsupported } from "../../collectives/collective.ts";
import { ALGORITHM_NAMES, type AlgorithmName } from "../../collectives/registry.ts";
import { type RankMemory, runLockstep } from "../../collectives/lockstep.ts";
import { COLLECTIVES } from "../../collectives/registry.ts";
import { BLOCK_WORDS, chunk, type ProgramShape, traffic } from "../../collectives/step_program.ts";

const RANKS = Array.from({ length: 16 }, (_, i) => i + 1);
const COUNTS = [0, 1, 2, 7, 16, 97, 240];
const countsOf = ({ elementMultiple = 1 }: Collective) =>
  COUNTS.filter((count) => count % elementMultiple === 0);

/** Exact in float32 for up to 16 ranks, and different for every rank and element. */
function operandValue(rank: number, index: number): number {
  return (index % 97 - 48) * 2 ** rank;
}

/** Memories of all ranks, filled; in place, input and output are one. */
function memories(
  collective: Collective,
  shape: Omit<ProgramShape, "rank">,
): readonly RankMemory[] {
  const { ranks, count, inPlace } = shape;
  return Array.from({ length: ranks }, (_, rank) => {
    const { start, end } = collective.operand({ ...shape, rank });
    const result = collective.result({ ...shape, rank });
    const operand = Float32Array.from(
      { length: end - start },
      (_, i) => operandValue(rank, start + i),
    );
    const scratch = new Float32Array(count + BLOCK_WORDS).fill(NaN);
    if (!inPlace) {
      return {
        input: operand,
        output: new Float32Array(result.end - result.start).fill(NaN),
        scratch,
      };
    }
    const output = new Float32Array(count).fill(NaN);
    output.set(operand, start);
    return { input: output, output, scratch };
  });
}

function results(collective: Collective, name: AlgorithmName, shape: Omit<ProgramShape, "rank">) {
  const all = memories(collective, shape);
  runLockstep(collective.algorithms[name]!.program, shape, all);
  return all.map(({ output }, rank) => {
    const { start, end } = collective.result({ ...shape, rank });
    return shape.inPlace ? output.subarray(start, end) : output;
  });
}

for (const collective of Object.values(COLLECTIVES)) {
  for (const name of ALGORITHM_NAMES.filter((a) => collective.algorithms[a])) {
    const { errorBound } = collective.algorithms[name]!;
    Deno.test(`${name} ${collective.name} is right in lockstep, for 1 to 16 ranks, in place and not`, () => {
      let runs = 0;
      for (const ranks of RANKS.filter((r) => !unsupported(collective, name, r))) {
        for (const count of countsOf(collective)) {
          for (const inPlace of [false, true]) {
            const shape = { ranks, count, inPlace };
            results(collective, name, shape).forEach((seen, rank) => {
              const own = { ...shape, rank };
              const { start, end } = collective.result(own);
              const expected = Float32Array.from(
                { length: end - start },
                (_, i) => collective.expected(operandValue, start + i, own),
              );
              const where = `${ranks} ranks, rank ${rank}, ${count} elements`;
              if (!errorBound) assertEquals(seen, expected, where);
              else {
                const bound = errorBound(Array.from({ length: ranks }, (_, r) => 48 * 2 ** r));
                seen.forEach((value, i) => assert(Math.abs(value - expected[i]!) <= bound, where));
              }
              runs++;
            });
          }
        }
      }
      assert(runs >= 400);
    });
  }
}

Deno.test("steps and bytes are those of the field's formulas", () => {
  const count = 5040; // divisible by 1 to 10
  for (const n of [2, 3, 4, 5, 8]) {
    const cost = (op: keyof typeof COLLECTIVES, name: AlgorithmName) => {
      const { program } = COLLECTIVES[op].algorithms[name]!;
      const { steps, sentWords } = traffic(program, { ranks: n, count, inPlace: false });
      return [steps, Math.max(...sentWords)];
    };
    assertEquals(cost("all_reduce", "one_shot"), [1, (n - 1) * count]);
    assertEquals(cost("all_reduce", "two_shot"), [2, 2 * (n - 1) / n * count]);
    assertEquals(cost("all_reduce", "ring"), [2 * (n - 1), 2 * (n - 1) / n * count]);
    assertEquals(cost("all_gather", "one_shot"), [1, (n - 1) / n * count]);
    assertEquals(cost("all_gather", "ring"), [n - 1, (n - 1) / n * count]);
    assertEquals(cost("reduce_scatter", "one_shot"), [1, (n - 1) / n * count]);
    assertEquals(cost("reduce_scatter", "ring"), [n - 1, (n - 1) / n * count]);
    assertEquals(cost("send_recv", "one_shot"), [1, count]);
    assertEquals(cost("broadcast", "one_shot"), [1, (n - 1) * count]);
    // The root sends each its chunk, and gives its own to all with the others; chunks go down a chain.
    assertEquals(cost("broadcast", "two_shot"), [2, 2 * (n - 1) / n * count]);
    assertEquals(cost("broadcast", "ring"), [2 * n - 2, count]);
    assertEquals(cost("broadcast", "recursive_doubling")[0], Math.ceil(Math.log2(n)));
    if ((n & (n - 1)) === 0) {
      assertEquals(cost("all_reduce", "recursive_doubling"), [Math.log2(n), Math.log2(n) * count]);
      assertEquals(cost("all_gather", "recursive_doubling"), [Math.log2(n), (n - 1) / n * count]);
    }
  }
});

Deno.test("quantised all-reduce sends a quarter of the bytes and a scale a block; argmax sends pairs", () => {
  const sent = (op: "all_reduce" | "argmax", name: AlgorithmName, count: number) =>
    traffic(COLLECTIVES[op].algorithms[name]!.program, { ranks: 4, count, inPlace: false })
      .sentWords;
  assertEquals(sent("all_reduce", "one_shot_int8", 3200), new Array(4).fill(3 * 100 * 9));
  assertEquals(sent("argmax", "one_shot", 2 * 5), new Array(4).fill(3 * 10));
});

Deno.test("one-shot, two-shot and recursive doubling give every rank bitwise the same sum", () => {
  const shape = { ranks: 8, count: 97, inPlace: false };
  const random = (rank: number, i: number) => Math.sin(rank * 1000 + i) * 10 ** (i % 5);
  for (const name of ["one_shot", "two_shot", "recursive_doubling", "ring"] as const) {
    const all = memories(COLLECTIVES.all_reduce, shape);
    all.forEach(({ input }, rank) => input.forEach((_, i) => input[i] = random(rank, i)));
    runLockstep(COLLECTIVES.all_reduce.algorithms[name]!.program, shape, all);
    for (const { output } of all) assertEquals(output, all[0]!.output, name);
  }
});

Deno.test("all-gather of reduce-scatter is all-reduce", () => {
  for (const ranks of [2, 3, 5, 8]) {
    for (const count of [1, 7, 240]) {
      const shape = { ranks, count, inPlace: true };
      const all = memories(COLLECTIVES.reduce_scatter, shape);
      runLockstep(COLLECTIVES.reduce_scatter.algorithms.ring!.program, shape, all);
      runLockstep(COLLECTIVES.all_gather.algorithms.ring!.program, shape, all);
      const reduced = results(COLLECTIVES.all_reduce, "one_shot", { ranks, count, inPlace: false });
      all.forEach(({ output }, rank) => assertEquals(output, reduced[rank]));
    }
  }
});

Deno.test("lockstep refuses programs that race, leave their memory, or differ in steps", () => {
  const shape = { ranks: 2, count: 4, inPlace: false };
  const all = () => memories(COLLECTIVES.all_reduce, shape);
  const move = (
    to: "output",
    from_: { rank: number; memory: "output" | "input"; start: number },
  ) => ({
    moves: [{ to: { memory: to, start: 0 }, count: 4, sources: [from_] }],
  });
  assertThrows(
    () =>
      runLockstep(
        ({ rank }) => [move("output", { rank: 1 - rank, memory: "output", start: 0 })],
        shape,
        all(),
      ),
    RangeError,
    "rank 0 writes what rank 1 needs",
  );
  assertThrows(
    () => runLockstep(() => [move("output", { rank: 0, memory: "input", start: 1 })], shape, all()),
    RangeError,
    "leaves its memory",
  );
  assertThrows(
    () => runLockstep(({ rank }) => new Array(rank).fill({ moves: [] }), shape, all()),
    RangeError,
    "steps",
  );
});

Deno.test("shares cover every element once, and differ by one at most", () => {
  for (const ranks of RANKS) {
    for (const count of COUNTS) {
      const sizes = Array.from({ length: ranks }, (_, rank) => chunk(count, ranks, rank))
        .map(({ start, end }) => end - start);
      assertEquals(sizes.reduce((a, b) => a + b, 0), count);
      assert(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }
  }
});

Deno.test("lockstep refuses memories that are not one a rank, and programs of other sizes", () => {
  const memories = (ranks: number) =>
    Array.from({ length: ranks }, () => ({
      input: new Float32Array(4),
      output: new Float32Array(4),
      scratch: new Float32Array(64),
    }));
  const { algorithms } = COLLECTIVES.all_reduce;
  const ring = algorithms.ring!.program;
  const doubling = algorithms.recursive_doubling!.program;
  const run = (program: typeof ring, ranks: number, have: number) => () =>
    runLockstep(program, { ranks, count: 4, inPlace: false }, memories(have));
  assertThrows(run(ring, 3, 2), RangeError, "3 ranks with 2 memories");
  assertThrows(run(ring, 0, 0), RangeError, "0 ranks");
  assertThrows(run(doubling, 3, 3), RangeError, "reads rank 3 of 3");
});
