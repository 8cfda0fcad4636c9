/** Programs of all-reduce and argmax: every rank ends with the sum, or the best pair, of all operands. */

import {
  chunk,
  type Memory,
  moveChunk,
  type Place,
  type ProgramShape,
  type Step,
  wrap,
} from "../step_program.ts";
import { everyRank, keptOperand, operandMemory, toOutput } from "./_operands.ts";
import { allGatherOneShot } from "./all_gather.ts";

/**
 * Each rank reads all operands and adds them in rank order: bitwise the same sum everywhere. One-shot and
 * two-shot as in the custom all-reduces of TensorRT-LLM and vLLM.
 */
export function allReduceOneShot(shape: ProgramShape): readonly Step[] {
  const { count, inPlace, ranks } = shape;
  if (inPlace && ranks === 1) return [];
  // In place a rank would overwrite its operand while others read it.
  const { memory, keep } = keptOperand(shape);
  const sum = toOutput({ start: 0, end: count }, everyRank(shape, memory, 0));
  return [...keep, { moves: sum }];
}

/** Each rank adds its chunk of all operands, in rank order, then reads the others' chunks. */
export function allReduceTwoShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return allReduceOneShot(shape);
  const mine = chunk(count, ranks, rank);
  const sum = toOutput(mine, everyRank(shape, operandMemory(shape), mine.start));
  return [{ moves: sum }, ...allGatherOneShot({ ...shape, inPlace: true })];
}

/**
 * Chunks travel round the ring: first each collects a sum (chunk k is added in the order k, k+1, ...
 * round to k-1), then the sums travel on (Patarasuk and Yuan, 2009).
 */
export function allReduceRing(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return allReduceOneShot(shape);
  const memory = operandMemory(shape);
  const before = wrap(rank - 1, ranks);
  const steps: Step[] = [];
  for (let step = 0; step < ranks - 1; step++) {
    const part = chunk(count, ranks, wrap(rank - step - 1, ranks));
    const { start } = part;
    const sources: Place[] = [
      { rank: before, memory: step === 0 ? memory : "output", start },
      { rank, memory, start },
    ];
    steps.push({ moves: toOutput(part, sources) });
  }
  for (let step = 0; step < ranks - 1; step++) {
    const part = chunk(count, ranks, wrap(rank - step, ranks));
    const source = { rank: before, memory: "output", start: part.start } as const;
    steps.push({ moves: toOutput(part, [source]) });
  }
  return steps;
}

/**
 * Partners at distances 1, 2, 4, ... add each other's sums, the lower rank's first: bitwise the same
 * sum everywhere, added as a balanced tree (Thakur et al., 2005). For powers of two.
 */
export function allReduceRecursiveDoubling(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count, inPlace } = shape;
  if (ranks === 1) return allReduceOneShot(shape);
  const whole = { start: 0, end: count };
  const rounds = Math.log2(ranks);
  const steps: Step[] = [];
  // A round reads one memory and writes another, since the partner reads at the same time; out of
  // place the last round writes the output.
  let from_: Memory = operandMemory(shape);
  for (let round = 0; round < rounds; round++) {
    const isToOutput = inPlace ? round % 2 === 1 : (rounds - round) % 2 === 1;
    const memory = isToOutput ? "output" : "scratch";
    const pair = [rank, rank ^ (1 << round)].sort((a, b) => a - b);
    const sources = pair.map((peer) => ({ rank: peer, memory: from_, start: 0 }));
    steps.push({ moves: moveChunk(whole, { memory, start: 0 }, sources) });
    from_ = memory;
  }
  if (from_ !== "output") {
    steps.push({ moves: toOutput(whole, [{ rank, memory: from_, start: 0 }]) });
  }
  return steps;
}

/**
 * As one-shot, but each rank first stores its operand as int8, in blocks with a scale of their own: a
 * quarter of the bytes, and an error of up to half a step of each rank's block.
 */
export function allReduceOneShotInt8(shape: ProgramShape): readonly Step[] {
  const { rank, count } = shape;
  const move = { count, to: { memory: "scratch", start: 0 } } as const;
  const operand = [{ rank, memory: operandMemory(shape), start: 0 }];
  const sum = { count, to: { memory: "output", start: 0 }, how: "sum_quantised" } as const;
  if (count === 0) return [{ moves: [] }, { moves: [] }];
  return [
    { moves: [{ ...move, sources: operand, how: "quantise" }] },
    { moves: [{ ...sum, sources: everyRank(shape, "scratch", 0) }] },
  ];
}

/** Every rank reads all pairs (value, index); in place the own ones are copied out of the way first. */
export function argmaxOneShot(shape: ProgramShape): readonly Step[] {
  const { memory, keep } = keptOperand(shape);
  const moves = toOutput({ start: 0, end: shape.count }, everyRank(shape, memory, 0));
  return [...keep, { moves: moves.map((move) => ({ ...move, how: "maxloc" })) }];
}
