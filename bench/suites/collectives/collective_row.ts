import { type AlgorithmName, COLLECTIVES } from "../../../collectives/registry.ts";
import { type Elements, traffic } from "../../../collectives/step_program.ts";
import { type CollectiveCase, collectiveKey, elementsOf } from "./collective_cases.ts";
import type { LoopResult } from "./collective_loop.ts";
import type { OverlapFacts } from "./overlap.ts";
import type { StopReason } from "../../measure/stopping_rule.ts";
import type { Series } from "../../../records/rows/column.ts";
import { deriveRows, type SampledRow } from "../../../records/rows/derive_rows.ts";
import type { CollectiveRow } from "../../../records/rows/row.ts";
import { slowestRank } from "../../../records/rows/row_times.ts";
import { commonCells, type RowContext } from "../suite_run.ts";

/** What measuring a case gave. */
export interface CollectiveResult {
  readonly status: "ok" | "wrong" | "failed" | "skipped";
  readonly reason: string;
  /** The step program that ran: what auto chose. */
  readonly ran?: AlgorithmName;
  /** One a rank; same_device has one for all. */
  readonly ranks: readonly LoopResult[];
  /** The round of each iteration. */
  readonly rounds?: readonly number[];
  readonly stopReason?: StopReason | undefined;
  readonly clock: "gpu" | "host";
  readonly overlap?: OverlapFacts | undefined;
}

/** Each iteration's time: that of the slowest rank. */
export function slowest(ranks: readonly LoopResult[]): readonly number[] {
  return slowestRank(ranks.map(({ timesUs }) => timesUs));
}

/** A result as a row with its samples. */
export function collectiveRow(
  result: CollectiveResult,
  c: CollectiveCase,
  context: RowContext,
): SampledRow<CollectiveRow> {
  const { ranks } = result;
  const elements = elementsOf(c);
  const collective = COLLECTIVES[c.op];
  const shape = { ranks: c.ranks, count: elements, inPlace: false };
  const { steps, sentWords } = result.ran
    ? traffic(collective.algorithms[result.ran]!.program, shape)
    : { steps: undefined, sentWords: undefined };
  const measured: CollectiveRow = {
    ...collectiveKey(c),
    ...commonCells(context),
    ...(c.memory === "host" &&
      { adapter: undefined, adapter_type: undefined, physical_adapters: 0 }),
    status: result.status,
    reason: result.reason,
    elements,
    steps,
    sent_bytes_per_rank: sentWords && 4 * Math.max(...sentWords),
    chosen_algorithm: c.algorithm === "auto" ? result.ran : undefined,
    oversubscribed: c.transport === "workers" && c.ranks > navigator.hardwareConcurrency,
    ...(ranks.length > 0 && {
      clock: result.clock,
      stop_reason: result.stopReason,
      wrong_elements: ranks.reduce((sum, rank) => sum + rank.wrongElements, 0),
      max_abs_error: Math.max(...ranks.map((rank) => rank.maxAbsError)),
      tolerance: ranks[0]!.tolerance,
    }),
  };
  const bytes = ({ start, end }: Elements) => 4 * (end - start);
  const facts = {
    ...context.canary,
    ...(c.transport !== "same_device" && { busbw_factor: collective.busbwFactor(c.ranks) }),
    operand_bytes: bytes(collective.operand({ ...shape, rank: 0 })),
    result_bytes: bytes(collective.result({ ...shape, rank: 0 })),
    ...result.overlap,
  };
  return deriveRows("collectives", [{ row: measured, series: seriesOf(result), facts }])[0]!;
}

/** Raw times of every rank. */
function seriesOf({ ranks, rounds = [] }: CollectiveResult): Series {
  const times = ranks.flatMap((one, rank) => [
    [`rank_${rank}_time_us`, one.timesUs],
    ...(one.readUs.length > 0
      ? [
        [`rank_${rank}_read_us`, one.readUs],
        [`rank_${rank}_exchange_us`, one.exchangeUs],
        [`rank_${rank}_write_us`, one.writeUs],
      ]
      : []),
  ]);
  return ranks.length > 0 ? { ...Object.fromEntries(times), round: rounds } : {};
}
