import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { readModel } from "../config/read_model.ts";
import { ranksCsv } from "../bench/suites/schedules/schedule_files.ts";
import { type SizedRank, sizedRanks } from "../model/replicas.ts";
import { DTYPES } from "../kernels/kernel.ts";
import { ORDERS } from "../parallel/layout.ts";
import { rankDrawing } from "../report/rank_drawing.ts";
import { EXIT } from "./exit_status.ts";
import { oneOf } from "./option_values.ts";
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
  const order = oneOf("--layout", options.layout, ORDERS);
  const dtype = oneOf("--dtype", options.dtype, DTYPES);
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
  console.log(options.csv ? ranksCsv(table).trimEnd() : rankDrawing(table));
  return EXIT.ok;
}
