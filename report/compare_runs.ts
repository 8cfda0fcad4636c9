/** What changed from one run, or several, to others, row by row. */

import type { LoadedRun } from "../records/run_folder/load_run.ts";
import { runScatter, type Scatter } from "../statistics/run_scatter.ts";
import { type Comparison, conclude } from "./comparison.ts";
import { RUNS_FOR_SCATTER, type RunScatter, unpairedEvidence } from "./evidence.ts";
import { classOf, DEFAULT_FLOOR, logMedians, type NoiseFloor } from "./noise_floor.ts";
import { filteredSides, type RowSide, rowSides, sideUs } from "./row_side.ts";
import { type Difference, refuseDifferent } from "./run_differences.ts";

/** How runs are compared. */
export interface CompareOptions {
  /** In what they may differ all the same. */
  readonly allow?: readonly Difference[];
  /** How far rows move between runs on this machine; a careful default where absent. */
  readonly floor?: NoiseFloor | undefined;
  /** Only rows whose label matches. */
  readonly filter?: RegExp | undefined;
}

/**
 * Compares runs with baseline runs, of one machine; `thresholdPct` is the least change that counts. How far
 * runs move is taken from the runs themselves where each side has three or more, else from the floor.
 * @throws {ComparisonError} where a run is of another kind or machine and that is not allowed.
 * @throws {RangeError} where the threshold is no share, a side has no run, or the filter leaves no row.
 */
export function compareRuns(
  baseline: LoadedRun | readonly LoadedRun[],
  candidate: LoadedRun | readonly LoadedRun[],
  thresholdPct: number,
  { allow = [], floor, filter }: CompareOptions = {},
): Comparison {
  const runs = [asList(baseline), asList(candidate)] as const;
  if (runs.some((side) => side.length === 0)) {
    throw new RangeError("Cannot compare: a side has no run");
  }
  refuseDifferent(runs.flat(), allow);
  const [own, other] = runs.map((side) => filteredSides(rowSides(side), filter)) as [Rows, Rows];
  if (filter && own.size + other.size === 0) {
    throw new RangeError(`Cannot compare rows that match ${filter}: there are none`);
  }
  const scatterOf = runs.every((side) => side.length >= RUNS_FOR_SCATTER)
    ? scatterOfRuns(own, other)
    : scatterOfFloor(floor);
  return conclude({
    runs,
    thresholdPct,
    pairs: [...own].flatMap(([key, a]) => {
      const b = other.get(key);
      return b ? [{ a, b, evidence: unpairedEvidence(a, b, scatterOf(a, b)) }] : [];
    }),
    missing: [...own].flatMap(([key, side]) => other.has(key) ? [] : [side]),
    added: [...other].flatMap(([key, side]) => own.has(key) ? [] : [side]),
  });
}

type Rows = ReadonlyMap<string, RowSide>;

function asList(runs: LoadedRun | readonly LoadedRun[]): readonly LoadedRun[] {
  return "suites" in runs ? [runs] : runs;
}

/** The floor of a row's class, or the default. */
export function scatterOfFloor(floor: NoiseFloor | undefined): (a: RowSide) => RunScatter {
  return (a) => {
    const found = floor?.floors[classOf(a) ?? ""];
    const { scatter_pct, degrees } = found ?? DEFAULT_FLOOR;
    const variance = (scatter_pct / 100) ** 2 / 2;
    return { variance, degrees, source: found ? "machine's floor" : "default floor" };
  };
}

/** What rows of a class scatter by between the runs of each side, or the row itself where that is more. */
function scatterOfRuns(own: Rows, other: Rows): (a: RowSide, b: RowSide) => RunScatter {
  const pairs = [...own].flatMap(([key, a]) => {
    const b = other.get(key);
    return b && sideUs(a.runs) !== undefined && sideUs(b.runs) !== undefined
      ? [[a, b] as const]
      : [];
  });
  const classes = new Map(
    [...Map.groupBy(pairs, ([a]) => classOf(a)!)].map(([name, members]) => [
      name,
      pooled([0, 1].map((side) => scatterOfSide(members.map((pair) => pair[side]!)))),
    ]),
  );
  return (a, b) => {
    const row = pooled([a, b].map((side) => scatterOfSide([side])));
    const shared = classes.get(classOf(a) ?? "");
    return {
      variance: Math.max(row.variance, shared?.variance ?? 0),
      degrees: shared?.degrees ?? row.degrees,
      source: "these runs",
    };
  };
}

/** Rows that some runs lack are left out, unless all do. */
function scatterOfSide(sides: readonly RowSide[]): Scatter {
  const most = Math.max(...sides.map(({ runs }) => runs.length));
  const whole = sides.filter(({ runs }) => runs.length === most && sideUs(runs) !== undefined);
  return whole.length === 0 || most < 2
    ? { variance: 0, degrees: 0 }
    : runScatter(whole.map(logMedians));
}

function pooled(scatters: readonly Scatter[]): Scatter {
  const degrees = scatters.reduce((sum, scatter) => sum + scatter.degrees, 0);
  const weighted = scatters.reduce((sum, { variance, degrees }) => sum + variance * degrees, 0);
  return { variance: degrees > 0 ? weighted / degrees : 0, degrees };
}
