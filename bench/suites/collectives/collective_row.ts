import { COLLECTIVES } from "../../../collectives/registry.ts";
import { traffic } from "../../../collectives/step_program.ts";
import type { AlgorithmName } from "../../../collectives/registry.ts";
import type { Device } from "../../../device/device.ts";
import { driftReason } from "../../measure/canary.ts";
import { type CollectiveCase, elementsOf } from "./collective_cases.ts";
import type { LoopResult } from "./collective_loop.ts";
import {
  type CollectiveKey,
  type CollectiveRow,
  rowKey,
  SCHEMA_VERSION,
} from "../../../records/rows/row.ts";
import { timeColumns } from "../../../records/rows/time_columns.ts";
import { median } from "../../../statistics/summary.ts";

/** What measuring a case gave. */
export interface CollectiveResult {
  readonly status: "ok" | "wrong" | "failed" | "skipped";
  readonly reason: string;
  /** The step program that ran: what auto chose. */
  readonly ran?: AlgorithmName;
  /** One a rank; same_device has one for all. */
  readonly ranks: readonly LoopResult[];
  readonly clock: "gpu" | "host";
  readonly overlapPct?: number | undefined;
}

/** The independent variables of a row, but for the number of ranks. */
export function collectiveKey(c: CollectiveCase): CollectiveKey {
  return {
    suite: "collectives",
    model: "", // no model decides anything here
    dtype: "float32",
    op: c.op,
    algorithm: c.algorithm,
    transport: c.transport,
    memory: c.memory,
    message_bytes: c.messageBytes,
  };
}

/** Each iteration's time: that of the slowest rank. */
export function slowest(ranks: readonly LoopResult[]): readonly number[] {
  return ranks[0]?.timesUs.map((_, i) => Math.max(...ranks.map((rank) => rank.timesUs[i]!))) ?? [];
}

/** A result as a row. */
export function collectiveRow(
  result: CollectiveResult,
  c: CollectiveCase,
  about: {
    readonly device: Device;
    readonly runId: string;
    readonly canaryPct: number;
  },
): CollectiveRow {
  const { device, runId, canaryPct } = about;
  const key = collectiveKey(c);
  const isHost = c.memory === "host";
  const elements = elementsOf(c);
  const base: CollectiveRow = {
    ...key,
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    row_key: rowKey(key, c.ranks),
    status: result.status,
    reason: result.reason || driftReason(canaryPct),
    adapter: isHost ? undefined : device.identity.name,
    adapter_type: isHost ? undefined : device.identity.type,
    physical_adapters: isHost ? 0 : 1,
    logical_ranks: c.ranks,
    elements,
    oversubscribed: c.transport === "workers" && c.ranks > navigator.hardwareConcurrency,
    canary_pct: canaryPct,
  } as CollectiveRow;
  const times = slowest(result.ranks);
  if (times.length === 0 || result.ran === undefined) return base;
  const collective = COLLECTIVES[c.op];
  const shape = { ranks: c.ranks, count: elements, inPlace: false };
  const { steps, sentWords } = traffic(collective.algorithms[result.ran]!.program, shape);
  const time = timeColumns(times);
  const fastest = times.map((_, i) => Math.min(...result.ranks.map((rank) => rank.timesUs[i]!)));
  const isRanked = result.status === "ok";
  const algbw = isRanked ? 4 * elements / time.time_us_median / 1e3 : undefined;
  const part = (of: (rank: LoopResult) => readonly number[]) => {
    const all = result.ranks.flatMap(of);
    return all.length > 0 ? median(all) : undefined;
  };
  const readUs = part((rank) => rank.readUs);
  const writeUs = part((rank) => rank.writeUs);
  const own = { ...shape, rank: 0 };
  const bytes = ({ start, end }: { readonly start: number; readonly end: number }) =>
    4 * (end - start);
  return {
    ...base,
    clock: result.clock,
    stop_reason: result.ranks[0]!.stopReason,
    samples: times.length,
    ...time,
    wrong_elements: result.ranks.reduce((sum, rank) => sum + rank.wrongElements, 0),
    max_abs_error: Math.max(...result.ranks.map((rank) => rank.maxAbsError)),
    tolerance: result.ranks[0]!.tolerance,
    verified_iterations: times.length,
    steps,
    sent_bytes_per_rank: 4 * Math.max(...sentWords),
    algbw_gbytes_per_s: algbw,
    busbw_gbytes_per_s: algbw === undefined || c.transport === "same_device"
      ? undefined
      : algbw * collective.busbwFactor(c.ranks),
    time_us_min_rank: median(fastest),
    skew_pct: median(times.map((most, i) => 100 * (most - fastest[i]!) / most)),
    chosen_algorithm: c.algorithm === "auto" ? result.ran : undefined,
    read_us_median: readUs,
    exchange_us_median: part((rank) => rank.exchangeUs),
    write_us_median: writeUs,
    read_gbytes_per_s: readUs && bytes(collective.operand(own)) / readUs / 1e3,
    write_gbytes_per_s: writeUs && bytes(collective.result(own)) / writeUs / 1e3,
    overlap_pct: result.overlapPct,
  };
}
