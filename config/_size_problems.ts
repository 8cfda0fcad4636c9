import { KERNEL_OPS, type KernelOp, variantNames } from "../model/kernel_ops.ts";
import type { ModelShape } from "../model/shape.ts";
import { illegalTensorParallelSize } from "../parallel/shard.ts";
import { type ConfigProblem, describeProblem, showValue } from "./config_error.ts";

/** A JSON object whose values have not been checked. */
export type RawObject = Readonly<Record<string, unknown>>;

/**
 * What a model's shape has against the sizes of a configuration.
 *
 * It reads the unchecked document, so that these problems are found together with the schema's;
 * values that the schema refuses are passed over here.
 */
export function sizeProblems(document: RawObject, shape: ModelShape): readonly ConfigProblem[] {
  return [
    ...kernelProblems(rawObject(document["kernels"]), shape),
    ...rawList(rawObject(document["schedules"])["layouts"]).flatMap((layout, place) =>
      layoutProblems(`schedules.layouts.${place}.`, { layout: rawObject(layout), shape })
    ),
    ...requestProblems(rawObject(rawObject(document["schedules"])["requests"]), shape),
  ];
}

/** What a shape has against one layout; `prefix` is the path before the sizes' names. */
export function layoutProblems(
  prefix: string,
  { layout, shape }: { readonly layout: RawObject; readonly shape: ModelShape },
): readonly ConfigProblem[] {
  const stages = layout["pipeline_parallel_size"];
  const size = layout["tensor_parallel_size"];
  const problems = [...cutProblems(`${prefix}tensor_parallel_size`, { size, shape })];
  const given = layout["stage_layers"];
  if (given !== undefined && isCount(stages ?? 1)) {
    problems.push(...stageProblems(prefix, { given, stages: Number(stages ?? 1), shape }));
  }
  if (!isCount(stages) || stages <= shape.layers) return problems;
  const path = `${prefix}pipeline_parallel_size`;
  const why = `every stage needs a layer, and ${shape.name} has ${shape.layers}`;
  const legal = `1 to ${shape.layers}`;
  return [...problems, describeProblem({ path, found: String(stages) }, legal, { why })];
}

function stageProblems(
  prefix: string,
  { given, stages, shape }: {
    readonly given: unknown;
    readonly stages: number;
    readonly shape: ModelShape;
  },
): readonly ConfigProblem[] {
  const layers = rawList(given);
  const sum = layers.reduce<number>((total, count) => total + Number(count), 0);
  if (!layers.every(isCount) || (layers.length === stages && sum === shape.layers)) return [];
  const place = { path: `${prefix}stage_layers`, found: JSON.stringify(given) };
  return [describeProblem(place, `${stages} numbers that sum to ${shape.layers}`)];
}

function kernelProblems(kernels: RawObject, shape: ModelShape): readonly ConfigProblem[] {
  const sizes = rawList(kernels["tensor_parallel_sizes"]);
  const longest = Math.min(shape.maxPositions, shape.slidingWindow ?? Infinity);
  const ops = rawList(kernels["ops"]).filter(isKernelOp);
  const hasPositions = ops.some((op) => KERNEL_OPS[op].needsPositions);
  const positions = (key: string) =>
    rawList(kernels[key]).flatMap((value, place) =>
      isCount(value) && value > longest
        ? [positionProblem(`kernels.${key}.${place}`, { found: String(value), longest })]
        : []
    );
  return [
    ...sizes.flatMap((size, place) =>
      cutProblems(`kernels.tensor_parallel_sizes.${place}`, { size, shape })
    ),
    ...(hasPositions ? [...positions("tokens"), ...positions("context")] : []),
    ...variantProblems(kernels, { ops, shape }),
  ];
}

/** Variants that none of the ops has; one that only some have is a skipped row of the others. */
function variantProblems(
  kernels: RawObject,
  { ops, shape }: { readonly ops: readonly KernelOp[]; readonly shape: ModelShape },
): readonly ConfigProblem[] {
  const variants = rawList(kernels["variants"]);
  if (variants.length === 0 || ops.length === 0) return [];
  const tokens = rawList(kernels["tokens"] ?? [1]).filter(isCount);
  const names = variantNames(ops, { model: shape, tokens });
  return variants.flatMap((name, place) =>
    typeof name !== "string" || names.includes(name) ? [] : [
      describeProblem(
        { path: `kernels.variants.${place}`, found: showValue(name) },
        names.join(", "),
        { why: "the variants of kernels.ops for kernels.tokens" },
      ),
    ]
  );
}

function isKernelOp(op: unknown): op is KernelOp {
  return typeof op === "string" && Object.hasOwn(KERNEL_OPS, op);
}

function requestProblems(requests: RawObject, shape: ModelShape): readonly ConfigProblem[] {
  const { prompt_tokens: prompt, output_tokens: output } = requests;
  if (requests["trace"] === undefined && Object.keys(requests).length > 0) {
    const missing = ["count", "prompt_tokens", "output_tokens"]
      .filter((key) => requests[key] === undefined);
    if (missing.length > 0) {
      return missing.map((key) =>
        describeProblem(
          { path: `schedules.requests.${key}`, found: "nothing" },
          "a whole number, 1 or more; or a trace",
        )
      );
    }
  }
  const longest = Math.min(shape.maxPositions, shape.slidingWindow ?? Infinity);
  if (!isCount(prompt) || !isCount(output) || prompt + output <= longest) return [];
  const found = `${prompt} prompt and ${output} output tokens`;
  return [positionProblem("schedules.requests", { found, longest })];
}

function positionProblem(
  path: string,
  { found, longest }: { readonly found: string; readonly longest: number },
): ConfigProblem {
  return describeProblem({ path, found }, `at most ${longest} positions`, {
    why: "the model's max_position_embeddings and sliding_window",
  });
}

function cutProblems(
  path: string,
  { size, shape }: { readonly size: unknown; readonly shape: ModelShape },
): readonly ConfigProblem[] {
  if (!isCount(size)) return [];
  return illegalTensorParallelSize(shape, size).map(({ rule, nearest }) =>
    describeProblem({ path, found: String(size) }, `nearest ${nearest.join(" and ")}`, {
      why: rule,
    })
  );
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1;
}

/** The value where it is an object, an empty one otherwise. */
export function rawObject(value: unknown): RawObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as RawObject
    : {};
}

function rawList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
