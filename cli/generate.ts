import { Command, ValidationError } from "@cliffy/command";
import { z } from "zod";
import { type Config, type GenerationSpeed, loadConfig, openLayout } from "../mod.ts";
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
  const sizes = roomOf(config, promptTokenIds.length, maxTokens);
  return await interruptible(async (signal) => {
    await using layout = await openLayout(config, { ...sizes, tuning: TUNING_FOLDER, signal });
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
    console.error(speedText(speed, adapter));
    return EXIT.ok;
  });
}

/** The ids of a prompt with commas between. @throws {ValidationError} for what is no id of the model. */
export function promptOf(text: string, vocab: number): readonly number[] {
  return text.split(",").map((word) => {
    const id = /^\s*\d+\s*$/.test(word) ? Number(word) : NaN;
    if (id < vocab) return id;
    throw new ValidationError(
      `Cannot take the prompt token "${word}": legal are 0 to ${vocab - 1}, with commas between`,
    );
  });
}

/**
 * Positions of a sequence, and tokens of a batch: no more than the prompt has.
 * @throws {ValidationError} where the model has not so many positions, or nothing is to be generated.
 */
export function roomOf(
  { model, schedules }: Pick<Config, "model" | "schedules">,
  promptTokens: number,
  maxTokens: number,
) {
  if (maxTokens < 1) {
    throw new ValidationError(`Cannot generate ${maxTokens} tokens: legal are 1 and more`);
  }
  const maxModelLen = promptTokens + maxTokens;
  if (maxModelLen > model.maxPositions) {
    throw new ValidationError(
      `Cannot reach position ${maxModelLen}: the model ends at ${model.maxPositions}; legal for ` +
        `--max-tokens are up to ${model.maxPositions - promptTokens}`,
    );
  }
  const budget = schedules?.max_num_batched_tokens ?? DEFAULT_BATCHED_TOKENS;
  return { maxModelLen, maxNumBatchedTokens: Math.min(budget, promptTokens) };
}

/** How fast it went, in one line. */
export function speedText(speed: GenerationSpeed, adapter: string): string {
  return `prefill ${speed.prefill_tokens} tokens at ${
    digits(speed.prefill_tokens_per_s)
  } tokens/s; ` +
    `decode ${speed.decode_tokens} tokens at ${digits(speed.decode_tokens_per_s)} tokens/s, ` +
    `host overhead ${speed.host_overhead_pct.toFixed(1)} % of a step (${adapter})`;
}

/** Three significant digits. */
function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
