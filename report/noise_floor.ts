/** How far the times of unchanged rows move from run to run on one machine: the noise that verdicts rest on. */

import type { Suite } from "../records/rows/suite.ts";
import type { LoadedRun, TextRow } from "../records/run_folder/load_run.ts";
import { runScatter } from "../statistics/run_scatter.ts";
import { type RowSide, rowSides, sideUs } from "./row_side.ts";
import { machineOf } from "./run_differences.ts";

/** How far rows of a class move between two runs. */
export interface Floor {
  /** Standard deviation of the logarithm of the ratio of two runs, in %. */
  readonly scatter_pct: number;
  /** Degrees of freedom of that estimate. */
  readonly degrees: number;
  /** Rows and runs that it was taken from. */
  readonly rows: number;
  /** Runs of unchanged code. */
  readonly runs: number;
}

/** The floors of one machine. */
export interface NoiseFloor {
  /** Adapter, processor, cores, Deno. */
  readonly machine: Readonly<Record<string, string>>;
  /** By class of row: {@linkcode rowClass}. */
  readonly floors: Readonly<Record<string, Floor>>;
}

/**
 * What is assumed of rows whose class has no floor: more than a quiet machine's, so that less is found
 * rather than more invented.
 */
export const DEFAULT_FLOOR: Omit<Floor, "rows" | "runs"> = { scatter_pct: 5, degrees: Infinity };

/** Ends of the classes of times, in us. */
const TIME_CLASSES = [
  [100, "under 100 us"],
  [1000, "100 us to 1 ms"],
  [10_000, "1 to 10 ms"],
  [Infinity, "10 ms and more"],
] as const;

/**
 * Rows that move alike: of kernels by mode and time, of collectives by transport, memory and time, of
 * schedules by whether ranks share cores.
 */
export function rowClass(suite: Suite, row: TextRow, us: number): string {
  const time = TIME_CLASSES.find(([end]) => us < end)?.[1] ?? "";
  if (suite === "kernels") return `kernels ${row["mode"]}, ${time}`;
  if (suite === "collectives") {
    return `collectives ${row["transport"]} ${row["memory"]}, ${time}`;
  }
  if (row["oversubscribed"] === "true") return "schedules, more ranks than cores";
  return `schedules, ${Number(row["logical_ranks"]) > 1 ? "several ranks" : "one rank"}`;
}

/** The class of a side's row; undefined where it has no time. */
export function classOf({ suite, row, runs }: RowSide): string | undefined {
  const us = sideUs(runs);
  return us === undefined ? undefined : rowClass(suite, row, us);
}

/**
 * The floors that runs of unchanged code show, at least two, of one machine.
 * @throws {RangeError} where there are fewer.
 */
export function measureFloor(runs: readonly LoadedRun[]): NoiseFloor {
  const rows = [...rowSides(runs).values()].filter((side) =>
    side.row["status"] === "ok" && side.runs.length === runs.length &&
    sideUs(side.runs) !== undefined
  );
  const floors = Object.entries(Object.groupBy(rows, (side) => classOf(side)!))
    .map(([name, members]) => {
      const { variance, degrees } = runScatter(members!.map(logMedians));
      const scatter_pct = 100 * Math.sqrt(2 * variance);
      return [name, { scatter_pct, degrees, rows: members!.length, runs: runs.length }] as const;
    });
  return { machine: machineOf(runs[0]!), floors: Object.fromEntries(floors) };
}

/** Logarithms of the medians of a row's runs, all of which have one. */
export function logMedians({ runs }: RowSide): readonly number[] {
  return runs.map(({ medianUs }) => Math.log(medianUs!));
}
