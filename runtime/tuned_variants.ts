import { maxLogitsRows } from "../model/stage_memory.ts";
import { type BatchSize, type Stage, stageProgram } from "../model/stage_program.ts";
import type { SelectVariant } from "./segments.ts";

/** Names of variants by class of shapes: what one thread chose for ranks on others. */
export type TunedVariants = Readonly<Record<string, string>>;

/** Chooses the variants of every operation that batches of a stage can ask for. */
export async function tuneStage(stage: Stage, choose: SelectVariant): Promise<TunedVariants> {
  const choices: Record<string, string> = {};
  for (const size of representativeSizes(stage)) {
    for (const op of stageProgram(stage, size).ops) {
      if (op.kind !== "kernel" || size[op.rows] === 0) continue;
      const { operation } = op;
      choices[operation.shapeClass] ??= (await choose(operation)).name;
    }
  }
  return choices;
}

/**
 * Finds a chosen variant again.
 * @throws {Error} where none was chosen for the class, or the shape refuses it.
 */
export function tunedVariant(choices: TunedVariants): SelectVariant {
  return (operation) => {
    const name = choices[operation.shapeClass];
    const chosen = operation.variants.find((variant) => variant.name === name);
    if (chosen && chosen.unsupported === undefined) return chosen;
    throw new Error(
      `Cannot run ${operation.shapeClass}: ${
        name === undefined ? "no variant was chosen" : `variant ${name} does not support it`
      }`,
    );
  };
}

/** Sizes of batches that have every class of shapes: classes round sizes up to powers of two. */
function representativeSizes(stage: Stage): readonly BatchSize[] {
  const powers = (most: number) => {
    const sizes = [most];
    for (let size = 1; size < most; size *= 2) sizes.unshift(size);
    return sizes;
  };
  const samples = powers(maxLogitsRows(stage));
  return [
    ...powers(stage.maxNumBatchedTokens).map((tokens) => ({ tokens, logitsRows: 1 })),
    ...samples.map((count) => ({ tokens: count, logitsRows: count })),
    ...samples.map((count) => ({ tokens: stage.maxNumBatchedTokens, logitsRows: count })),
  ];
}
