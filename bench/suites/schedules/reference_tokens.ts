import { decoderSource } from "../../../config/decoder_source.ts";
import { openWeights } from "../../../model/open_weights.ts";
import { type ReferenceBatch, ReferenceDecoder } from "../../../model/reference_decoder.ts";
import { stageCosts, stageProgram, wholeDecoder } from "../../../model/stage_program.ts";
import type { ExpectedTokens } from "./measure_layouts.ts";
import type { ScheduleWork } from "./schedule_cases.ts";

/** How tokens of one request compare with those of a decoder in float64 on the host. */
export interface ReferenceCheck {
  /** How many tokens were compared. */
  readonly tokens: number;
  /** Of them, those that the float64 decoder would not choose, by more than rounding explains. */
  readonly mismatches: number;
  /** Of the first mismatch, in words. */
  readonly reason?: string;
}

/** Longer the check may not take. */
const DEADLINE_MS = 10_000;
/** Work that takes a decoder in float64 so long on two slow cores: it reaches 0.4 GFLOP/s a token on ours. */
const MOST_FLOPS = 3e9;
/** Prompt tokens of one step, so that an interrupt does not wait for a whole prompt. */
const CHUNK = 4;
/** Logits of a device may be so many times as far off as two decoders with random rounding errors are. */
const ROUNDING = 4;

/**
 * Compares what the request with the fewest tokens gave on one rank with a decoder in float64 that is fed
 * the same tokens. Nothing is compared where it would take too long; what was not by the deadline is not.
 */
export async function checkTokens(
  work: ScheduleWork,
  expected: ExpectedTokens,
  signal: AbortSignal,
): Promise<ReferenceCheck> {
  const { config, requests, cacheConfig } = work;
  const lengths = requests.map(({ promptTokenIds }, i) =>
    promptTokenIds.length + expected[i]!.length
  );
  const shortest = lengths.indexOf(Math.min(...lengths));
  const request = requests[shortest]!;
  const stage = wholeDecoder(config.model, {
    ...cacheConfig,
    maxNumSeqs: 1,
    maxModelLen: lengths[shortest]!,
  });
  const batches = batchesOf(request.promptTokenIds, expected[shortest]!);
  const flops = batches.reduce((sum, { tokenIds, logitsIndices }) => {
    const size = { tokens: tokenIds.length, logitsRows: logitsIndices.length };
    return sum + stageCosts(stageProgram(stage, size)).reduce((all, cost) => all + cost.flops, 0);
  }, 0);
  if (flops > MOST_FLOPS) return { tokens: 0, mismatches: 0 };
  using weights = openWeights(decoderSource(config).weights, config.model);
  const decoder = ReferenceDecoder.load(stage, weights);
  const begun = performance.now();
  const rows: Float64Array[] = [];
  for (const batch of batches) {
    await pause();
    if (signal.aborted || performance.now() - begun > DEADLINE_MS) break;
    rows.push(...decoder.step(batch).logits);
  }
  return judgeTokens(expected[shortest]!.slice(0, rows.length), rows, async () => {
    const spreads = [1, 2].map(async (seed) => await spread(decoder.rounded(seed), batches, rows));
    return ROUNDING * Math.max(...await Promise.all(spreads));
  });
}

/**
 * Holds tokens to float64 logits, one row a token. A token whose logit is not the largest, of equal ones
 * that of the lowest id, is a mismatch where it is further below than two logits may be off by rounding.
 */
export async function judgeTokens(
  tokens: readonly number[],
  rows: readonly Float64Array[],
  rounding: () => Promise<number>,
): Promise<ReferenceCheck> {
  const others = tokens.flatMap((id, place) => {
    const row = rows[place]!;
    const best = row.indexOf(row.reduce((most, logit) => Math.max(most, logit), -Infinity));
    return id === best ? [] : [{ id, place, best, below: row[best]! - row[id]! }];
  });
  if (others.length === 0) return { tokens: tokens.length, mismatches: 0 };
  const most = 2 * await rounding();
  // A comparison that NaN fails: an id beyond the vocabulary has no logit.
  const wrong = others.filter(({ below }) => !(below <= most));
  const [first] = wrong;
  return {
    tokens: tokens.length,
    mismatches: wrong.length,
    ...(first && {
      reason: `on one rank token ${first.place} is ${first.id}; a float64 decoder chooses ` +
        `${first.best}, whose logit is ${first.below.toPrecision(3)} larger; rounding explains ` +
        `${most.toPrecision(3)}`,
    }),
  };
}

/** The steps that give a request's tokens: the prompt in chunks, then each token but the last. */
function batchesOf(
  prompt: readonly number[],
  tokens: readonly number[],
): readonly ReferenceBatch[] {
  const batch = (ids: readonly number[], first: number, isSampled: boolean): ReferenceBatch => ({
    tokenIds: ids,
    positions: ids.map((_, i) => first + i),
    slots: ids.map(() => 0),
    logitsIndices: isSampled ? [ids.length - 1] : [],
  });
  const batches: ReferenceBatch[] = [];
  for (let first = 0; first < prompt.length; first += CHUNK) {
    const ids = prompt.slice(first, first + CHUNK);
    batches.push(batch(ids, first, first + CHUNK >= prompt.length));
  }
  for (const [i, id] of tokens.slice(0, -1).entries()) {
    batches.push(batch([id], prompt.length + i, true));
  }
  return batches;
}

/** How far another decoder's logits are off, at most. */
async function spread(
  decoder: ReferenceDecoder,
  batches: readonly ReferenceBatch[],
  rows: readonly Float64Array[],
): Promise<number> {
  let [most, place] = [0, 0];
  for (const batch of batches) {
    if (place === rows.length) break;
    await pause();
    for (const row of decoder.step(batch).logits) {
      const exact = rows[place++]!;
      most = row.reduce((far, logit, i) => Math.max(far, Math.abs(logit - exact[i]!)), most);
    }
  }
  return most;
}

/** Lets an interrupt come through. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
