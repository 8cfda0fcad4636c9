import { assertEquals } from "@std/assert";
import { errorShare, judge } from "../../../bench/measure/judge.ts";
import { writtenElements } from "../../../bench/measure/written_elements.ts";
import type { Tensor } from "../../../kernels/kernel.ts";
import type { Operation } from "../../../kernels/operation.ts";
import type { Expected } from "../../../kernels/reference_run.ts";

const TENSOR: Tensor = { rows: 2, columns: 4, dtype: "float32", fill: { kind: "zero" } };

/** An operation that writes one output of a joint name. */
function writes(joint: string, reference = (_: Readonly<Record<string, Float64Array>>) => {}) {
  const operation: Partial<Operation> = {
    outputs: ["out"],
    names: { out: joint },
    tensors: { out: TENSOR },
    reference: reference as Operation["reference"],
  };
  return operation as Operation;
}

/** Judges operations by what each must give, from what its output holds and held before. */
function judged(
  all: readonly { operation: Operation; values: readonly number[]; tolerance: number }[],
  seen: Readonly<Record<string, readonly number[]>>,
  blank: readonly number[] = new Array(8).fill(7),
) {
  const found = judge(all.map(({ operation }) => operation), {
    seen: new Map(
      Object.entries(seen).map(([name, values]) => [name, Float32Array.from(values).buffer]),
    ),
    blank: () => Float32Array.from(blank).buffer,
    expected: (operation) => {
      const { values, tolerance } = all.find((one) => one.operation === operation)!;
      const expected: Expected = { tensor: TENSOR, values: Float64Array.from(values), tolerance };
      return new Map([["out", expected]]);
    },
  });
  return found;
}

const RIGHT = [1, 2, 3, 4, 5, 6, 7, 8];

Deno.test("the worst operation is the one whose error is the largest share of its tolerance", () => {
  const [a, b] = [writes("a"), writes("b")];
  const found = judged(
    [{ operation: a, values: RIGHT, tolerance: 1 }, {
      operation: b,
      values: RIGHT,
      tolerance: 0.5,
    }],
    { a: [1.5, 2, 3, 4, 5, 6, 7, 8], b: [1, 2, 3.375, 4, 5, 6, 7, 8] },
  );
  assertEquals(found, {
    wrongElements: 0,
    maxAbsError: 0.375,
    firstWrong: -1,
    tolerance: 0.5,
    output: "b",
  });
  const wrong = judged(
    [{ operation: a, values: RIGHT, tolerance: 1 }, {
      operation: b,
      values: RIGHT,
      tolerance: 0.5,
    }],
    { a: [1, 2, 5, 9, 5, 6, 7, 8], b: [1, 2, 4, 4, 5, 6, 7, 8] },
  );
  assertEquals(wrong, {
    wrongElements: 3,
    maxAbsError: 5,
    firstWrong: 2,
    tolerance: 1,
    output: "a",
  });
});

Deno.test("an error at the tolerance is right, one above it is wrong", () => {
  const of = (error: number) =>
    judged([{ operation: writes("a"), values: RIGHT, tolerance: 0.25 }], {
      a: [1, 2 + error, 3, 4, 5, 6, 7, 8],
    });
  const [at, above] = [of(0.25), of(0.250001)];
  assertEquals([at.wrongElements, at.maxAbsError, at.firstWrong], [0, 0.25, -1]);
  assertEquals([above.wrongElements, above.firstWrong], [1, 1]);
  assertEquals(errorShare({ maxAbsError: 0.5, tolerance: 0.25 }), 2);
  assertEquals(errorShare({ maxAbsError: 0, tolerance: 0 }), 0);
  assertEquals(errorShare({ maxAbsError: 1, tolerance: 0 }), Infinity);
});

Deno.test("what no operation writes must be what it was, bit by bit; two operations may share an output", () => {
  const half = [1, 2, 3, 4, NaN, NaN, NaN, NaN];
  const one = { operation: writes("a"), values: half, tolerance: 0 };
  assertEquals(judged([one], { a: [1, 2, 3, 4, 7, 7, 7, 7] }).wrongElements, 0);
  assertEquals(judged([one], { a: [1, 2, 3, 4, 7, 6, 7, 5] }), {
    wrongElements: 2,
    maxAbsError: Infinity,
    firstWrong: 5,
    tolerance: 0,
    output: "a",
  });
  const single = judged([one], { a: [1, 2, 3, 4, 7, 7, 7, 5] });
  assertEquals([single.wrongElements, single.maxAbsError, single.firstWrong], [1, Infinity, 7]);
  const rest = [NaN, NaN, NaN, NaN, 5, 6, 7, 8];
  const other = { operation: writes("a"), values: rest, tolerance: 0 };
  assertEquals(judged([one, other], { a: RIGHT }).wrongElements, 0);
  assertEquals(judged([one, other], { a: [0, 2, 3, 4, 5, 6, 7, 0] }).wrongElements, 2);
});

Deno.test("what operations write of an output is found by their references, on inputs of zeros", () => {
  const host = new Map<string, Float32Array | Uint32Array>([
    ["cache", new Float32Array(8)],
    ["slots", Uint32Array.of(2, 5)],
    ["values", Float32Array.of(3, 3)],
  ]);
  const seen: unknown[] = [];
  const append: Partial<Operation> = {
    outputs: ["cache_"],
    names: { cache_: "cache", slots: "slots", values: "values" },
    reference: ({ cache_, slots, values }) => {
      seen.push([...values!]);
      for (const i of slots!) cache_![i] = 0;
    },
  };
  const project = writes("values");
  const all = [project, append as Operation];
  assertEquals(writtenElements(all, host, "cache"), [2, 5]);
  assertEquals(seen, [[0, 0]], "what another operation writes is zero meanwhile");
  assertEquals(writtenElements([append as Operation], host, "cache"), [2, 5]);
  assertEquals(seen.at(-1), [3, 3]);
});
