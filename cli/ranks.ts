import { Command, ValidationError } from "@cliffy/command";
import { Table } from "@cliffy/table";
import { z } from "zod";
import { readModel } from "../config/read_model.ts";
import { ranksCsv } from "../bench/suites/schedules/rank_columns.ts";
import { type SizedRank, sizedRanks } from "../model/replicas.ts";
import { EXIT } from "./exit_status.ts";
import { SIZE_OPTIONS, sizesOf, withSizes } from "./sizes.ts";

const OPTIONS = z.object({
  model: z.string(),
  layout: z.string().default("vllm"),
  dtype: z.string().default("float32"),
  context: z.int().optional(),
  maxNumSeqs: z.int().default(1),
  csv: z.boolean().optional(),
  ...SIZE_OPTIONS,
});

const LAYOUTS = z.enum(["vllm", "megatron"]);
const DTYPES = z.enum(["float32", "float16", "int8"]);
/** Every WebGPU adapter binds as much. */
const BINDING_BYTES = 2 ** 27;
const DEFAULT_CONTEXT = 4096;
/** Tokens of a batch; they decide neither weights nor KV cache. */
const MAX_TOKENS = 1;

/** `ranks`: the rank table of a layout; needs no device. */
export function ranksCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description("Show which rank of a layout has what and talks to whom; needs no device.")
    .option("--model <file:file>", "A Hugging Face config.json, or its folder.", { required: true })
    .option("--layout <order:string>", "vllm or megatron: how ranks are numbered.")
    .option("--dtype <dtype:string>", "Storage of weights: float32, float16 or int8.")
    .option("--context <positions:integer>", "Positions of a sequence in the KV cache.")
    .option("--max-num-seqs <count:integer>", "Sequences in the KV cache.")
    .option("--csv", "Print ranks.csv instead.");
  return withSizes(command).action((options) => exit(ranks(OPTIONS.parse(options))));
}

function ranks(options: z.output<typeof OPTIONS>): number {
  const order = oneOf(LAYOUTS, "--layout", options.layout);
  const dtype = oneOf(DTYPES, "--dtype", options.dtype);
  const model = readModel(options.model);
  const { tensorParallelSize = 1, pipelineParallelSize = 1, dataParallelSize = 1 } = sizesOf(
    options,
  );
  const sizes = { tensorParallelSize, pipelineParallelSize, dataParallelSize };
  const context = options.context ?? Math.min(DEFAULT_CONTEXT, model.maxPositions);
  for (
    const [name, size] of Object.entries({ ...sizes, context, maxNumSeqs: options.maxNumSeqs })
  ) {
    if (size < 1) throw new ValidationError(`Cannot use ${name} "${size}": legal is 1 or more`);
  }
  let table: readonly SizedRank[];
  try {
    table = sizedRanks(model, { ...sizes, order }, {
      dtype,
      maxNumSeqs: options.maxNumSeqs,
      maxModelLen: context,
      maxNumBatchedTokens: MAX_TOKENS,
      maxStorageBufferBindingSize: BINDING_BYTES,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new ValidationError(error.message);
    throw error;
  }
  console.log(options.csv ? ranksCsv(table).trimEnd() : drawing(table));
  return EXIT.ok;
}

function oneOf<T extends string>(legal: z.ZodType<T>, option: string, found: string): T {
  const parsed = legal.safeParse(found);
  if (parsed.success) return parsed.data;
  const values = z.toJSONSchema(legal)["enum"]?.join(", ");
  throw new ValidationError(`Cannot use ${option} "${found}": legal are ${values}`);
}

function drawing(table: readonly SizedRank[]): string {
  const header = [
    "rank",
    "dp",
    "pp",
    "tp",
    "layers",
    "q heads",
    "kv heads",
    "vocab",
    "weights MB",
    "KV cache MB",
  ];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const rows = table.map((r) => [
    String(r.rank),
    String(r.dataParallelRank),
    String(r.pipelineParallelRank),
    String(r.tensorParallelRank),
    `${r.layers.start}-${r.layers.end - 1}`,
    `${r.heads.queryStart}-${r.heads.queryEnd - 1}`,
    `${r.heads.kvStart}-${r.heads.kvEnd - 1}`,
    `${r.vocab.start}-${r.vocab.end - 1}`,
    megabytes(r.memory.weightBytes),
    megabytes(r.memory.kvCacheBytes),
  ]);
  const groups = (key: "tensorParallel" | "pipelineParallel" | "dataParallel") =>
    [...new Set(table.map((r) => `{${r[key].join(",")}}`))].join(" ");
  return [
    new Table().header(header).body(rows).columns(header.map(() => ({ align: "right" }))).padding(2)
      .toString(),
    "",
    "communication groups",
    `  TP  ${groups("tensorParallel")}  all-reduce in every layer`,
    `  PP  ${groups("pipelineParallel")}  hidden states from stage to stage`,
    `  DP  ${groups("dataParallel")}  nothing`,
  ].join("\n");
}
