/** What one column changes, between rows of one run that differ in it alone. */

import { columnsOf, label } from "../records/rows/row.ts";
import type { LoadedRun } from "../records/run_folder/load_run.ts";
import { scatterOfFloor } from "./compare_runs.ts";
import { type Comparison, conclude, type Pair } from "./comparison.ts";
import { unpairedEvidence } from "./evidence.ts";
import type { NoiseFloor } from "./noise_floor.ts";
import { filteredSides, type RowSide, rowSides } from "./row_side.ts";

/** What rows of one run are compared by. */
export interface CompareByOptions {
  /** A key column, or a name of several: {@linkcode byNames}. */
  readonly by: string;
  /** Its value in the rows that others are compared with; naive, step, 1, or the first, where absent. */
  readonly baseline?: string | undefined;
  /** The least change that counts, in %. */
  readonly thresholdPct: number;
  /** Of rows that do not say in which rounds they were measured. */
  readonly floor?: NoiseFloor | undefined;
  /** Only rows whose label matches. */
  readonly filter?: RegExp | undefined;
}

/** Names for columns; the first say the value, and rows may differ in all of them. */
const NAMES: Readonly<
  Record<string, { readonly value: readonly string[]; readonly free?: string }>
> = {
  depth: { value: ["max_concurrent_batches"] },
  layout: { value: ["tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"] },
  // A step has one batch, a queue has several.
  schedule: { value: ["schedule"], free: "max_concurrent_batches" },
};

/** What rows of a run can be compared by: key columns of its suites, `depth`, `layout`. */
export function byNames({ suites }: LoadedRun): readonly string[] {
  const keys = suites.flatMap(({ suite }) => columnsOf(suite).filter(({ key }) => key));
  const headers = new Set(keys.map(({ header }) => header));
  const names = Object.keys(NAMES).filter((name) =>
    NAMES[name]!.value.every((h) => headers.has(h))
  );
  return [...new Set([...names, ...headers])].filter((name) => name !== "suite");
}

/**
 * Compares rows of a run with those that have the baseline's value and are else the same. What took turns
 * is judged by its rounds alone; rows without rounds as if they were of two runs.
 * @throws {RangeError} where the run has no such column, no such value, or nothing to compare.
 */
export function compareBy(
  run: LoadedRun,
  { by, baseline, thresholdPct, floor, filter }: CompareByOptions,
): Comparison {
  const legal = byNames(run);
  if (!legal.includes(by)) {
    throw new RangeError(`Cannot compare by "${by}": legal are ${legal.join(", ")}`);
  }
  const { value: columns, free } = NAMES[by] ?? { value: [by] };
  const sides = [...filteredSides(rowSides([run]), filter).values()]
    .filter(({ suite }) => columns.every((header) => keysOf(suite).has(header)));
  const valueOf = ({ row }: RowSide) => columns.map((header) => row[header] ?? "").join("x");
  const values = [...new Set(sides.map(valueOf))];
  if (values.length < 2 || (baseline !== undefined && !values.includes(baseline))) {
    const found = values.join(", ") || "no row";
    throw new RangeError(
      baseline === undefined || values.length < 2
        ? `Cannot compare by "${by}": it has one value at most: ${found}`
        : `Cannot compare with ${by} "${baseline}": legal are ${found}`,
    );
  }
  const groups = Map.groupBy(sides, (side) => {
    const aside = new Set([...columns, free]);
    const rest = [...keysOf(side.suite)].filter((header) => !aside.has(header));
    return rest.map((header) => `${header}=${side.row[header] ?? ""}`).join("\n");
  });
  const lonely: RowSide[] = [];
  const pairs = [...groups.values()].flatMap((members): readonly Pair[] => {
    const base = baseline ?? usualValue(members, columns, valueOf);
    const a = members.find((side) => valueOf(side) === base);
    const others = members.filter((side) => valueOf(side) !== base);
    if (a === undefined || others.length === 0) {
      lonely.push(...members);
      return [];
    }
    return others.map((side) => {
      const b = { ...side, label: `${label(side.suite, side.row)} (against ${base})` };
      return { a, b, evidence: unpairedEvidence(a, b, scatterOf(a, b, floor)) };
    });
  });
  return conclude({
    runs: [[run], [run]],
    pairs,
    missing: [],
    added: lonely,
    thresholdPct,
    inTurns: true,
  });
}

function keysOf(suite: RowSide["suite"]): ReadonlySet<string> {
  return new Set(columnsOf(suite).filter(({ key }) => key).map(({ header }) => header));
}

/** The value that speed-ups of the suite refer to, where a row has it; else the first. */
function usualValue(
  members: readonly RowSide[],
  columns: readonly string[],
  valueOf: (side: RowSide) => string,
): string {
  const all = columnsOf(members[0]!.suite);
  const usual = columns.map((header) =>
    String(all.find((column) => column.header === header)?.base ?? "1")
  ).join("x");
  return members.some((side) => valueOf(side) === usual) ? usual : valueOf(members[0]!);
}

function scatterOf(a: RowSide, b: RowSide, floor: NoiseFloor | undefined) {
  const tookTurns = [...a.runs, ...b.runs].every(({ knowsRounds }) => knowsRounds);
  return tookTurns
    ? { variance: 0, degrees: Infinity, source: "one run" } as const
    : scatterOfFloor(floor)(a);
}
