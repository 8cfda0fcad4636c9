/** Programs of all-reduce: every rank ends with the sum of all operands. */

import {
  chunk,
  type Memory,
  type Move,
  moveChunk,
  type Place,
  type ProgramShape,
  type Step,
  wrap,
} from "../step_program.ts";
import { everyRank, keptOperand, operandMemory } from "./_operands.ts";

/**
 * Each rank reads all operands and adds them in rank order: bitwise the same sum everywhere. One-shot and
 * two-shot as in the custom all-reduces of TensorRT-LLM and vLLM.
 */
export function allReduceOneShot(shape: ProgramShape): readonly Step[] {
  const { count, inPlace, ranks } = shape;
  if (inPlace && ranks === 1) return [];
  // In place a rank would overwrite its operand while others read it.
  const { memory, keep } = keptOperand(shape);
  const whole = { start: 0, end: count };
  const sum = moveChunk(whole, { memory: "output", start: 0 }, everyRank(shape, memory, 0));
  return [...keep, { moves: sum }];
}

/** Each rank adds its chunk of all operands, in rank order, then reads the others' chunks. */
export function allReduceTwoShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  const mine = chunk(count, ranks, rank);
  const memory = operandMemory(shape);
  const gathered: Move[] = [];
  for (let peer = 0; peer < ranks; peer++) {
    const { start, end } = chunk(count, ranks, peer);
    if (peer === rank) continue;
    gathered.push(
      ...moveChunk({ start, end }, { memory: "output", start }, [{
        rank: peer,
        memory: "output",
        start,
      }]),
    );
  }
  const sum = moveChunk(
    mine,
    { memory: "output", start: mine.start },
    everyRank(shape, memory, mine.start),
  );
  return ranks === 1 ? allReduceOneShot(shape) : [{ moves: sum }, { moves: gathered }];
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
    steps.push({ moves: moveChunk(part, { memory: "output", start }, sources) });
  }
  for (let step = 0; step < ranks - 1; step++) {
    const part = chunk(count, ranks, wrap(rank - step, ranks));
    const { start } = part;
    steps.push({
      moves: moveChunk(part, { memory: "output", start }, [{
        rank: before,
        memory: "output",
        start,
      }]),
    });
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
    const sources = [{ rank, memory: from_, start: 0 }];
    steps.push({ moves: moveChunk(whole, { memory: "output", start: 0 }, sources) });
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
