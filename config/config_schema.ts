/** What a configuration file may say: one schema that checks it and that configs/schema.json is made from. */

import { z } from "zod";
import { ALGORITHM_NAMES, COLLECTIVES, LOGITS_GATHERS } from "../collectives/registry.ts";
import { MODEL_FILE_SCHEMA } from "../model/shape.ts";
import { KERNEL_OPS } from "../model/kernel_ops.ts";
import { DTYPES } from "../model/stage_program.ts";
import { ORDERS } from "../parallel/layout.ts";
import { SCHEDULES } from "../schedules/registry.ts";
import { canonicalJson } from "../records/files/canonical_json.ts";
import { ROUTER_POLICIES } from "../schedules/router.ts";
import { isMessageSizes } from "./message_sizes.ts";

const count = z.int().min(1).max(2 ** 31 - 1);
const rankCount = z.int().min(1).max(1024);
const counts = set(count);

const layoutSchema = z.strictObject({
  tensor_parallel_size: rankCount.default(1).describe("Ranks that share every layer"),
  pipeline_parallel_size: rankCount.default(1).describe("Stages that the layers are split into"),
  data_parallel_size: rankCount.default(1).describe("Replicas of the whole model"),
  order: z.enum(ORDERS).default("vllm")
    .describe("How ranks are numbered: replicas outermost, or stages outermost"),
  stage_layers: list(count).optional()
    .describe("Layers of each stage; split evenly, as vLLM does, where absent"),
}).describe("One layout of ranks");

const adapterSchema = z.strictObject({
  power_preference: z.enum(["high-performance", "low-power"]).default("high-performance")
    .describe("Which adapter to ask WebGPU for"),
  allow_software: z.boolean().default(true)
    .describe("Whether an adapter that runs on the CPU will do; its rows are labelled software"),
}).describe("The WebGPU adapter");

const launcherSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("workers").describe("Every rank is a Worker of this process"),
  }),
  z.strictObject({
    kind: z.literal("mpi").describe("Every rank is a process of an MPI job"),
    command: list(z.string().min(1)).default(["mpirun"])
      .describe("The launcher and its first arguments: mpirun or srun"),
    rank_env: z.array(z.record(z.string(), z.string())).default([])
      .describe("Environment variables of each rank, in rank order"),
  }),
]).describe("How ranks are started");

const measureSchema = z.strictObject({
  min_time_ms: z.number().positive().default(200).describe("Least measured time of a case, in ms"),
  min_samples: count.default(10).describe("Least samples of a case"),
  max_noise_pct: z.number().positive().max(100).default(2)
    .describe("Stop once half the 95 % interval of the median is at most this percentage of it"),
  timeout_s: z.number().positive().default(20).describe("Longest measured time of a case, in s"),
  modes: set(z.enum(["hot", "cold"])).default(["hot"])
    .describe(
      "hot: right after another run over the same buffers; cold: caches evicted before each run",
    ),
}).describe("When a measurement is finished");

const kernelsSchema = z.strictObject({
  ops: set(z.enum(keys(KERNEL_OPS))).describe(
    "Operators: one rank's shard of a module, or a primitive",
  ),
  tensor_parallel_sizes: set(rankCount).default([1])
    .describe("Tensor parallel sizes whose shard is measured; each must cut the model evenly"),
  tokens: counts.default([1]).describe("T, new tokens of a forward pass"),
  context: counts.default([256]).describe(
    "S, positions that attention sees, the new tokens at its end; max(context, tokens) is used",
  ),
  variants: z.union([z.enum(["best", "all"]), set(z.string().min(1))]).default("best")
    .describe("Variants of each operator: the best for the shape, all, or these by name"),
}).describe("The kernels suite");

const collectivesSchema = z.strictObject({
  ops: set(z.enum(keys(COLLECTIVES))).describe("Collective operations"),
  ranks: set(z.int().min(2).max(1024)).default([2])
    .describe("Ranks taking part; one rank alone moves nothing"),
  sizes: z.string().refine(isMessageSizes)
    .describe(
      "Message sizes: FIRST:LAST:*FACTOR or FIRST:LAST:+STEP or a list A,B,C; in B, KiB, MiB, GiB, multiples of 4 B",
    ),
  algorithms: z.union([
    z.literal("all"),
    set(z.enum([...ALGORITHM_NAMES, "native", "auto"])),
  ]).default("all").describe("Algorithms: all that fit the operation and transport, or these"),
  transports: z.union([z.literal("all"), set(z.enum(["workers", "same_device", "mpi"]))])
    .default("all").describe("Transports: all that this machine has, or these"),
  memory: set(z.enum(["host", "device"])).default(["host"]).describe("Where messages lie"),
}).describe("The collectives suite");

const requestsSchema = z.strictObject({
  count: count.max(1_000_000).optional().describe("Requests"),
  prompt_tokens: count.optional().describe("Tokens of each prompt"),
  output_tokens: count.optional().describe("Tokens generated for each request"),
  arrival_rate_per_s: z.number().positive().optional().describe(
    "Requests arrive at this mean rate, as a seeded Poisson process; all at once where absent",
  ),
  trace: z.string().min(1).optional().describe(
    "Instead of the above a file of JSON lines with arrival_s, output_tokens, and prompt_tokens or prompt_token_ids",
  ),
}).describe("The work that every schedule gets");

const schedulesSchema = z.strictObject({
  layouts: set(layoutSchema).default([{
    tensor_parallel_size: 1,
    pipeline_parallel_size: 1,
    data_parallel_size: 1,
    order: "vllm",
  }]).describe("Layouts of ranks; each must cut the model evenly"),
  schedules: set(z.enum(keys(SCHEDULES))).default(keys(SCHEDULES)).describe("Schedules to compare"),
  max_concurrent_batches: counts.default([2])
    .describe("Depths of the batch queue; step always has depth 1"),
  max_num_batched_tokens: count.default(64).describe("Token budget of a batch"),
  max_num_seqs: count.default(4).describe("Most requests running at once, in each replica"),
  admission: set(z.enum(["greedy", "split"])).default(["greedy"]).describe(
    "greedy: a batch takes all requests it can; split: an equal part for each batch in flight",
  ),
  head_exchange: set(z.enum(LOGITS_GATHERS)).default(["all_gather"])
    .describe("How ranks that share the vocabulary find the next token; it is the same either way"),
  sliced_sends: set(z.boolean()).default([false]).describe(
    "Whether each tensor parallel rank sends its slice of the hidden states, gathered behind",
  ),
  router: z.enum(ROUTER_POLICIES).default("least_loaded")
    .describe("How requests are given to replicas"),
  threads_per_rank: count.optional().describe(
    "Threads of each rank's software adapter; the cores shared out where absent",
  ),
  requests: requestsSchema,
}).describe("The schedules suite");

/** The schema of a whole configuration; unknown keys are errors, absent ones get their defaults. */
export const CONFIG_SCHEMA = z.strictObject({
  $schema: z.string().optional().describe("Where an editor finds this schema"),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/).optional().describe(
    "Names the folder of results: letters, digits, dot, dash and underscore; the file's name where absent",
  ),
  model: z.string().min(1).describe(
    "A Hugging Face config.json, or a folder with config.json and *.safetensors; absolute, or relative to this file",
  ),
  model_overrides: MODEL_FILE_SCHEMA.partial().strict().default({})
    .describe("Keys of the model's config.json to replace"),
  load_format: z.enum(["dummy", "safetensors"]).default("dummy")
    .describe(
      "dummy: seeded weights, the same numbers under every layout; safetensors: the folder's own",
    ),
  dtype: z.enum(DTYPES).default("float32")
    .describe("Storage of the weights; sums stay float32"),
  seed: z.int().min(0).max(2 ** 32 - 1).default(0)
    .describe("Seed of weights, inputs and the order of cases"),
  adapter: adapterSchema.prefault({}),
  launcher: launcherSchema.default({ kind: "workers" }),
  measure: measureSchema.prefault({}),
  kernels: kernelsSchema.optional(),
  collectives: collectivesSchema.optional(),
  schedules: schedulesSchema.optional(),
}).describe("A configuration of shardbench");

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/**
 * A checked configuration file with every default filled in; keys as in the file.
 * @internal
 */
export type ConfigDocument = DeepReadonly<z.output<typeof CONFIG_SCHEMA>>;

/**
 * The sizes of one layout of ranks.
 * @internal
 */
export type LayoutSizes = DeepReadonly<z.output<typeof layoutSchema>>;

/**
 * Text that is the same for layouts that are, whether defaults are written out or not.
 * @internal
 */
export function layoutText(raw: unknown): string {
  const { success, data } = layoutSchema.safeParse(raw);
  return canonicalJson(success ? data : raw);
}

function list<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return z.array(item).min(1);
}

/**
 * A list in which nothing may stand twice, whether defaults are written out or not: it would be measured
 * twice under one row key.
 */
function set<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return list(item).refine((items) => new Set(items.map(canonicalJson)).size === items.length, {
    error: "a list without repeats",
  }).meta({ uniqueItems: true });
}

/** The names of the records in a registry. */
function keys<Name extends string>(registry: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(registry) as Name[];
}
