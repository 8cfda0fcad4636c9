/** Programs of broadcast: every rank ends with the operand of rank 0. */

import { chunk, type Elements, type Move, type ProgramShape, type Step } from "../step_program.ts";
import { operandMemory, toOutput } from "./_operands.ts";

const ROOT = 0;

/** Some elements of a rank that has them: the root has them in its operand, others in their output. */
function read(shape: ProgramShape, range: Elements, rank: number): readonly Move[] {
  const memory = rank === ROOT ? operandMemory(shape) : "output";
  return toOutput(range, [{ rank, memory, start: range.start }]);
}

function readChunk(shape: ProgramShape, index: number, rank: number): readonly Move[] {
  return read(shape, chunk(shape.count, shape.ranks, index), rank);
}

function readWhole(shape: ProgramShape, rank: number): readonly Move[] {
  return read(shape, { start: 0, end: shape.count }, rank);
}

/** What the root does for itself: nothing in place. */
function rootCopy(shape: ProgramShape): readonly Move[] {
  return shape.inPlace ? [] : readWhole(shape, ROOT);
}

/** Every rank reads the root. */
export function broadcastOneShot(shape: ProgramShape): readonly Step[] {
  return [{ moves: shape.rank === ROOT ? rootCopy(shape) : readWhole(shape, ROOT) }];
}

/** Each rank reads its chunk of the root, then the other chunks of their ranks. */
export function broadcastTwoShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks } = shape;
  if (ranks === 1) return broadcastOneShot(shape);
  if (rank === ROOT) return [{ moves: rootCopy(shape) }, { moves: [] }];
  const gathered: Move[] = [];
  for (let peer = 0; peer < ranks; peer++) {
    if (peer !== rank) gathered.push(...readChunk(shape, peer, peer));
  }
  return [{ moves: readChunk(shape, rank, ROOT) }, { moves: gathered }];
}

/** Chunks travel down the chain of ranks, one behind another. */
export function broadcastRing(shape: ProgramShape): readonly Step[] {
  const { rank, ranks } = shape;
  if (ranks === 1) return broadcastOneShot(shape);
  return Array.from({ length: 2 * ranks - 2 }, (_, step) => {
    if (rank === ROOT) return { moves: step === 0 ? rootCopy(shape) : [] };
    const index = step - rank + 1;
    return { moves: index < 0 || index >= ranks ? [] : readChunk(shape, index, rank - 1) };
  });
}

/** The ranks that have it double each step: rank r reads rank r - 2^step. Any number of ranks. */
export function broadcastRecursiveDoubling(shape: ProgramShape): readonly Step[] {
  const { rank, ranks } = shape;
  if (ranks === 1) return broadcastOneShot(shape);
  const steps: Step[] = [];
  for (let have = 1; have < ranks; have *= 2) {
    if (rank === ROOT) steps.push({ moves: have === 1 ? rootCopy(shape) : [] });
    else if (rank < have || rank >= 2 * have) steps.push({ moves: [] });
    else steps.push({ moves: readWhole(shape, rank - have) });
  }
  return steps;
}
