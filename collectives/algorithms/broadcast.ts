/** Programs of broadcast: every rank ends with the operand of rank 0. */

import {
  chunk,
  type Move,
  moveChunk,
  type Place,
  type ProgramShape,
  type Step,
} from "../step_program.ts";

const ROOT = 0;

function root({ inPlace }: ProgramShape, start: number): Place {
  return { rank: ROOT, memory: inPlace ? "output" : "input", start };
}

function whole(shape: ProgramShape, source: Place): readonly Move[] {
  return moveChunk({ start: 0, end: shape.count }, { memory: "output", start: 0 }, [source]);
}

/** What the root does for itself: nothing in place. */
function rootCopy(shape: ProgramShape): readonly Move[] {
  return shape.inPlace ? [] : whole(shape, root(shape, 0));
}

/** Every rank reads the root. */
export function broadcastOneShot(shape: ProgramShape): readonly Step[] {
  return [{ moves: shape.rank === ROOT ? rootCopy(shape) : whole(shape, root(shape, 0)) }];
}

/** Each rank reads its chunk of the root, then the other chunks of their ranks. */
export function broadcastTwoShot(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return broadcastOneShot(shape);
  const mine = chunk(count, ranks, rank);
  const scattered = moveChunk(mine, { memory: "output", start: mine.start }, [
    root(shape, mine.start),
  ]);
  const gathered: Move[] = [];
  for (let peer = 0; peer < ranks; peer++) {
    const part = chunk(count, ranks, peer);
    const { start } = part;
    if (peer === rank || rank === ROOT) continue;
    const source: Place = peer === ROOT
      ? root(shape, start)
      : { rank: peer, memory: "output", start };
    gathered.push(...moveChunk(part, { memory: "output", start }, [source]));
  }
  return [{ moves: rank === ROOT ? rootCopy(shape) : scattered }, { moves: gathered }];
}

/** Chunks travel down the chain of ranks, one behind another. */
export function broadcastRing(shape: ProgramShape): readonly Step[] {
  const { rank, ranks, count } = shape;
  if (ranks === 1) return broadcastOneShot(shape);
  return Array.from({ length: 2 * ranks - 2 }, (_, step) => {
    if (rank === ROOT) return { moves: step === 0 ? rootCopy(shape) : [] };
    const place = step - rank + 1;
    if (place < 0 || place >= ranks) return { moves: [] };
    const part = chunk(count, ranks, place);
    const { start } = part;
    const source: Place = rank - 1 === ROOT
      ? root(shape, start)
      : { rank: rank - 1, memory: "output", start };
    return { moves: moveChunk(part, { memory: "output", start }, [source]) };
  });
}

/** The ranks that have it double each step: rank r reads rank r - 2^step. Any number of ranks. */
export function broadcastRecursiveDoubling(shape: ProgramShape): readonly Step[] {
  const { rank, ranks } = shape;
  if (ranks === 1) return broadcastOneShot(shape);
  const steps: Step[] = [];
  for (let have = 1; have < ranks; have *= 2) {
    const isFirst = have === 1;
    if (rank === ROOT) steps.push({ moves: isFirst ? rootCopy(shape) : [] });
    else if (rank < have || rank >= 2 * have) steps.push({ moves: [] });
    else {
      const peer = rank - have;
      const source: Place = peer === ROOT
        ? root(shape, 0)
        : { rank: peer, memory: "output", start: 0 };
      steps.push({ moves: whole(shape, source) });
    }
  }
  return steps;
}
