import { assert, assertEquals } from "@std/assert";
import { runLockstep } from "../../collectives/lockstep.ts";
import { COLLECTIVES } from "../../collectives/registry.ts";
import type { ProgramShape, StepProgram } from "../../collectives/step_program.ts";
import type { Communicator } from "../../collectives/transports/communicator.ts";
import { type LogitsGather, TensorParallelGroup } from "../../runtime/tensor_parallel_group.ts";
import { NO_TOKEN } from "../../schedules/logits_error.ts";
import { tinyModel, tinyStage } from "./tiny.ts";

const CAPACITY = 5000;
const HEADS = ["all_gather", "gather", "argmax"] as const;

/** The operation and algorithm of a program. */
function nameOf(program: StepProgram): string {
  return Object.values(COLLECTIVES).flatMap(({ name, algorithms }) =>
    Object.entries(algorithms).filter(([, one]) => one.program === program)
      .map(([algorithm]) => `${name} ${algorithm}`)
  )[0]!;
}

/**
 * What each of two ranks finds that do the same together: the first time their operands are taken, the
 * second time the program runs on both.
 */
function together<T>(call: (group: TensorParallelGroup, rank: number) => T) {
  const operands: Float32Array[] = [];
  const prepared: string[] = [];
  const play = (rank: number, isFirst: boolean) => {
    const memories = { input: new Float32Array(CAPACITY), output: new Float32Array(CAPACITY) };
    const communicator = {
      rank,
      size: 2,
      array: (memory: "input" | "output") => memories[memory],
      prepare: (program: StepProgram, shape: Omit<ProgramShape, "rank" | "ranks">) => {
        prepared.push(`${nameOf(program)} ${shape.count}${shape.inPlace ? " in place" : ""}`);
        return { program, shape };
      },
      run: (
        { program, shape }: { readonly program: StepProgram; readonly shape: ProgramShape },
      ) => {
        if (isFirst) {
          operands[rank] = memories.input.slice();
          return;
        }
        const all = [0, 1].map((peer) => ({
          input: operands[peer]!.slice(),
          output: new Float32Array(CAPACITY),
          scratch: new Float32Array(CAPACITY),
        }));
        runLockstep(program, { ...shape, ranks: 2 }, all);
        memories.output.set(all[rank]!.output);
      },
    };
    const group = new TensorParallelGroup(communicator as unknown as Communicator);
    const found = call(group, rank);
    return { found, counts: { ...group.counts } };
  };
  for (const rank of [0, 1]) play(rank, true);
  prepared.length = 0;
  return { ranks: [0, 1].map((rank) => play(rank, false)), prepared };
}

Deno.test("sums are the same on each rank, in two steps from 16 KiB on", () => {
  const own = (rank: number) => Float32Array.of(1 + rank, 10, 100 * rank, -1);
  const { ranks, prepared } = together((group, rank) => {
    group.allReduce(own(rank));
    return [...group.allReduce(own(rank))];
  });
  assertEquals(ranks.map(({ found }) => found), [[3, 20, 100, -2], [3, 20, 100, -2]]);
  assertEquals(prepared, new Array(2).fill("all_reduce one_shot 4"), "once a rank");
  assertEquals(ranks[0]!.counts, { allReduces: 2, allGathers: 0, sentBytes: 2 * 16 });
  const ways = [4095, 4096].map((count) =>
    together((group) => group.allReduce(new Float32Array(count)).length).prepared[0]
  );
  assertEquals(ways, ["all_reduce one_shot 4095", "all_reduce two_shot 4096"]);
});

Deno.test("slices are gathered in rank order", () => {
  const { ranks, prepared } = together((group, rank) => [
    ...group.gatherSlices(rank === 0 ? Float32Array.of(1, 2) : Float32Array.of(3, 4, 5), 5),
  ]);
  assertEquals(ranks.map(({ found }) => found), [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]);
  assertEquals(prepared[0], "all_gather one_shot 5");
  // Each reads the other's slice; slices are no exchange of logits.
  assertEquals(ranks.map(({ counts }) => [counts.allGathers, counts.sentBytes]), [[0, 8], [0, 12]]);
});

/** Logits of a rank with 64 of 128 padded ids, a row a list of [id, logit]; all others are -50. */
function logits(rank: number, rows: readonly (readonly (readonly [number, number])[])[]) {
  const all = new Float32Array(64 * rows.length).fill(-50);
  for (const [row, winners] of rows.entries()) {
    for (const [id, value] of winners) {
      if (id >= 64 * rank && id < 64 * (rank + 1)) all[64 * row + id - 64 * rank] = value;
    }
  }
  return all;
}

/** The tokens that each rank finds by a way, of 101 real ids. */
function sampled(head: LogitsGather, rows: readonly (readonly (readonly [number, number])[])[]) {
  return together((group, rank) => {
    const stage = tinyStage(tinyModel(), { tensorParallelSize: 2, tensorParallelRank: rank });
    return group.sampleGreedy(logits(rank, rows), { rows: rows.length, stage, head });
  });
}

Deno.test("the greedy token is the largest logit's, of equals the lowest, never the padding's", () => {
  const rows = [
    [[5, 3], [71, 3]],
    [[70, 8], [9, 7]],
    [[100, 1], [101, 9], [127, 9]],
    [[63, -1], [64, -2]],
    [[20, 4], [12, 4], [13, 4]],
  ] as const;
  const tokens = [5, 70, 100, 63, 12];
  for (const head of HEADS) {
    const { ranks, prepared } = sampled(head, rows);
    const second = head === "gather" ? [] : tokens;
    assertEquals(ranks.map(({ found }) => found), [tokens, second], head);
    const count = head === "argmax" ? 2 * 5 : 2 * 5 * 64;
    assertEquals(prepared, new Array(2).fill(`${head} one_shot ${count}`));
    assertEquals(ranks.map(({ counts }) => counts.allGathers), [1, 1]);
    const bytes = head === "argmax" ? 4 * 10 : 4 * 5 * 64;
    const sent = ranks.map(({ counts }) => counts.sentBytes);
    assertEquals(sent, head === "gather" ? [0, bytes] : [bytes, bytes], head);
  }
});

Deno.test("where a logit of any rank is not finite there is no token, but for the padding's", () => {
  const rows = [[[70, NaN], [5, 9]], [[3, Infinity]], [[2, -Infinity]], [[120, NaN], [
    4,
    1,
  ]]] as const;
  for (const head of HEADS) {
    const [first] = sampled(head, rows).ranks;
    assertEquals(first!.found, [NO_TOKEN, NO_TOKEN, NO_TOKEN, 4], head);
  }
});

Deno.test("shared memory has room for hidden states and residuals, or for everybody's logits", () => {
  const stage = tinyStage(tinyModel({ hidden_size: 66, head_dim: 16 }), { tensorParallelSize: 2 });
  const hidden = 24 * 68; // rows of 66 are padded
  assertEquals(TensorParallelGroup.capacity(stage, 3), 2 * hidden + 2);
  assertEquals(TensorParallelGroup.capacity(stage, 40), 40 * 64 * 2);
  assert(40 * 64 * 2 > 2 * hidden + 2);
});
