import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { type Config, loadConfig, openLayout } from "../mod.ts";
import { LogitsFile } from "../records/files/logits_file.ts";
import { EXIT } from "./exit_status.ts";
import { TUNING_FOLDER } from "../bench/measure/tuning_store.ts";
import { interruptible } from "./interrupt.ts";
import { SIZE_OPTIONS, sizesOf, withSizes } from "./sizes.ts";

const OPTIONS = z.object({
  config: z.string(),
  promptTokenIds: z.string(),
  maxTokens: z.int().default(16),
  logits: z.string().optional(),
  json: z.boolean().optional(),
  ...SIZE_OPTIONS,
});

/** Token budget of a batch where the configuration has no schedules. */
const DEFAULT_BATCHED_TOKENS = 64;

/** `generate`: greedy decoding of one prompt. */
export function generateCommand(exit: (status: number) => void): Command {
  const command = new Command()
    .description("Decode greedily after a prompt of token ids; print the ids as they come.")
    .option("--config <file:file>", "The configuration, JSON.", { required: true })
    .option("--prompt-token-ids <ids:string>", "The prompt: 1,2,3.", { required: true })
    .option("--max-tokens <count:integer>", "Tokens to generate; 16 where absent.")
    .option("--logits <file:file>", "A CSV file for all logits of every generated token.")
    .option("--json", "Print one JSON object at the end instead.");
  return withSizes(command).action(async (options) => exit(await generate(OPTIONS.parse(options))));
}

async function generate(options: z.output<typeof OPTIONS>): Promise<number> {
  const { json = false, maxTokens } = options;
  const config = await loadConfig(options.config, { sizes: sizesOf(options) });
  const promptTokenIds = promptOf(options.promptTokenIds, config.model.vocab);
  const maxModelLen = contextOf(config, promptTokenIds.length, maxTokens);
  const budget = config.schedules?.max_num_batched_tokens ?? DEFAULT_BATCHED_TOKENS;
  const maxNumBatchedTokens = Math.min(budget, promptTokenIds.length);
  return await interruptible(async (signal) => {
    const room = { maxModelLen, maxNumBatchedTokens, tuning: TUNING_FOLDER };
    await using layout = await openLayout(config, room);
    using logits = options.logits === undefined ? undefined : new LogitsFile(options.logits);
    const generation = layout.generate({ promptTokenIds, maxTokens });
    const tokenIds: number[] = [];
    for await (const tokenId of generation.tokens()) {
      if (signal.aborted) return EXIT.interrupted;
      logits?.write(tokenIds.length, (await layout.decoder.logits(1))[0]!);
      tokenIds.push(tokenId);
      if (!json) console.log(tokenId);
    }
    logits?.finish();
    const { adapter } = layout;
    const speed = await generation.speed();
    if (json) console.log(JSON.stringify({ token_ids: tokenIds, adapter, ...speed }));
    console.error(
      `prefill ${speed.prefill_tokens} tokens at ${digits(speed.prefill_tokens_per_s)} tokens/s; ` +
        `decode ${speed.decode_tokens} tokens at ${digits(speed.decode_tokens_per_s)} tokens/s, ` +
        `host overhead ${speed.host_overhead_pct.toFixed(1)} % of a step (${adapter})`,
    );
    return EXIT.ok;
  });
}

function promptOf(text: string, vocab: number): readonly number[] {
  return text.split(",").map((word) => {
    const id = /^\s*\d+\s*$/.test(word) ? Number(word) : NaN;
    if (id < vocab) return id;
    throw new ValidationError(
      `Cannot take the prompt token "${word}": legal are 0 to ${vocab - 1}, with commas between`,
    );
  });
}

function contextOf({ model }: Config, promptTokens: number, maxTokens: number): number {
  if (maxTokens < 1) {
    throw new ValidationError(`Cannot generate ${maxTokens} tokens: legal are 1 and more`);
  }
  const context = promptTokens + maxTokens;
  if (context > model.maxPositions) {
    throw new ValidationError(
      `Cannot reach position ${context}: the model ends at ${model.maxPositions}; legal for ` +
        `--max-tokens are up to ${model.maxPositions - promptTokens}`,
    );
  }
  return context;
}

/** Three significant digits. */
function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
