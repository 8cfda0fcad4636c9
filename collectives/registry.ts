import {
  allGatherOneShot,
  allGatherRecursiveDoubling,
  allGatherRing,
  gatherOneShot,
} from "./algorithms/all_gather.ts";
import {
  allReduceOneShot,
  allReduceOneShotInt8,
  allReduceRecursiveDoubling,
  allReduceRing,
  allReduceTwoShot,
  argmaxOneShot,
} from "./algorithms/all_reduce.ts";
import {
  broadcastOneShot,
  broadcastRecursiveDoubling,
  broadcastRing,
  broadcastTwoShot,
} from "./algorithms/broadcast.ts";
import { reduceScatterOneShot, reduceScatterRing } from "./algorithms/reduce_scatter.ts";
import { sendRecvOneShot } from "./algorithms/send_recv.ts";
import type { Collective } from "./collective.ts";
import { chunk, type Elements, type ProgramShape, wrap } from "./step_program.ts";

function whole({ count }: ProgramShape): Elements {
  return { start: 0, end: count };
}

function ownChunk({ count, ranks, rank }: ProgramShape): Elements {
  return chunk(count, ranks, rank);
}

type Expected = Collective["expected"];

const sum: Expected = (operand, index, { ranks }) => {
  let total = 0;
  for (let rank = 0; rank < ranks; rank++) total += operand(rank, index);
  return total;
};

/** The operand of the rank whose chunk an element is in. */
const gathered: Expected = (operand, index, { count, ranks }) => {
  let owner = Math.floor(index * ranks / count); // or one or more too low
  while (chunk(count, ranks, owner).end <= index) owner++;
  return operand(owner, index);
};

/** Half a step of every rank's block, and the rounding of the sum. */
function quantisedError(largest: readonly number[]): number {
  const total = largest.reduce((sum, value) => sum + value, 0);
  return total / 254 + total * largest.length * 2 ** -23;
}

/** The best pair's value or index: pairs stand side by side. */
const bestElement: Expected = (operand, index, { ranks }) => {
  const first = index - index % 2;
  const pairs = Array.from(
    { length: ranks },
    (_, rank) => [operand(rank, first), operand(rank, first + 1)] as const,
  );
  const best = pairs.reduce((a, b) => b[0] > a[0] || (b[0] === a[0] && b[1] < a[1]) ? b : a);
  return best[index % 2]!;
};

const powersOfTwo = true;
const gathersLogits = true;

const RECORDS = {
  all_reduce: {
    name: "all_reduce",
    measures: "overlap",
    operand: whole,
    result: whole,
    expected: sum,
    busbwFactor: (ranks) => 2 * (ranks - 1) / ranks,
    algorithms: {
      one_shot: { program: allReduceOneShot },
      two_shot: { program: allReduceTwoShot },
      ring: { program: allReduceRing },
      recursive_doubling: { program: allReduceRecursiveDoubling, powersOfTwo },
      one_shot_int8: { program: allReduceOneShotInt8, errorBound: quantisedError },
    },
  },
  all_gather: {
    name: "all_gather",
    gathersLogits,
    operand: ownChunk,
    result: whole,
    expected: gathered,
    busbwFactor: (ranks) => (ranks - 1) / ranks,
    algorithms: {
      one_shot: { program: allGatherOneShot },
      ring: { program: allGatherRing },
      recursive_doubling: { program: allGatherRecursiveDoubling, powersOfTwo },
    },
  },
  gather: {
    name: "gather",
    gathersLogits,
    operand: ownChunk,
    result: (shape) => shape.rank === 0 ? whole(shape) : { start: 0, end: 0 },
    expected: gathered,
    busbwFactor: (ranks) => (ranks - 1) / ranks,
    algorithms: { one_shot: { program: gatherOneShot } },
  },
  reduce_scatter: {
    name: "reduce_scatter",
    operand: whole,
    result: ownChunk,
    expected: sum,
    busbwFactor: (ranks) => (ranks - 1) / ranks,
    algorithms: {
      one_shot: { program: reduceScatterOneShot },
      ring: { program: reduceScatterRing },
    },
  },
  broadcast: {
    name: "broadcast",
    operand: whole,
    result: whole,
    expected: (operand, index) => operand(0, index),
    busbwFactor: () => 1,
    algorithms: {
      one_shot: { program: broadcastOneShot },
      two_shot: { program: broadcastTwoShot },
      ring: { program: broadcastRing },
      recursive_doubling: { program: broadcastRecursiveDoubling },
    },
  },
  send_recv: {
    name: "send_recv",
    measures: "link",
    operand: whole,
    result: whole,
    expected: (operand, index, { rank, ranks }) => operand(wrap(rank - 1, ranks), index),
    busbwFactor: () => 1,
    algorithms: { one_shot: { program: sendRecvOneShot } },
  },
  argmax: {
    name: "argmax",
    gathersLogits,
    elementMultiple: 2,
    operand: whole,
    result: whole,
    expected: bestElement,
    busbwFactor: (ranks) => (ranks - 1) / ranks,
    algorithms: { one_shot: { program: argmaxOneShot } },
  },
} satisfies Record<string, Collective>;

/**
 * The name of a collective.
 * @internal
 */
export type CollectiveName = keyof typeof RECORDS;

/**
 * The name of an algorithm that any collective has.
 * @internal
 */
export type AlgorithmName = {
  [Name in CollectiveName]: keyof typeof RECORDS[Name]["algorithms"];
}[CollectiveName];

/** Every collective by its name; an algorithm stands in the record of each collective that has it. */
export const COLLECTIVES: Readonly<Record<CollectiveName, Collective>> = RECORDS;

/** The names of all algorithms, in the order of the records. */
export const ALGORITHM_NAMES: readonly AlgorithmName[] = [
  ...new Set(Object.values(RECORDS).flatMap(({ algorithms }) => Object.keys(algorithms))),
] as AlgorithmName[];

type GatheringName = {
  [Name in CollectiveName]: typeof RECORDS[Name] extends { readonly gathersLogits: true } ? Name
    : never;
}[CollectiveName];

/** Collectives with which ranks that share the vocabulary can find the greedy token. */
export const LOGITS_GATHERS: readonly GatheringName[] = Object.values(RECORDS)
  .filter((record: Collective) => record.gathersLogits).map(({ name }) => name) as GatheringName[];
