/** What verdicts are worth on simulated machines, whose truth is known: false alarms, and what is found. */

import type { LoadedRun } from "../records/run_folder/load_run.ts";
import { NOISE_MODELS, simulatedHits } from "../statistics/noise_models.ts";
import { comparePairs } from "./compare_pairs.ts";
import { compareRuns } from "./compare_runs.ts";
import { measureFloor, type NoiseFloor } from "./noise_floor.ts";
import { drawn, type Share, share, shareText } from "./selftest.ts";
import { type MachineModel, MACHINES, QUIET_MACHINE, simulatedRun } from "./simulated_runs.ts";

/** How runs are judged: by a floor that other runs have shown, without one, three runs a side, or pairs. */
export const WAYS = ["floor", "no floor", "three runs a side", "eight pairs"] as const;
/** One of them. */
export type Way = typeof WAYS[number];

/** What became of simulated pairs. */
export interface Simulated {
  readonly machine: string;
  readonly way: Way;
  /** What was done to the candidate. */
  readonly change: string;
  /** Of unchanged rows those that were called changed. */
  readonly false_rows: Share;
  /** Of pairs those in which an unchanged row was called changed. */
  readonly false_pairs: Share;
  /** Of rows that were lengthened those that were called slower. */
  readonly found: Share;
}

/** What is simulated. */
export interface SimulatedChange {
  readonly way: Way;
  readonly pairs: number;
  /** Factors on the candidate's rows, by place. */
  readonly factors?: readonly number[];
  readonly change?: string;
  readonly suite?: "kernels" | "schedules";
}

const RUNS_A_SIDE: Readonly<Record<Way, number>> = {
  "floor": 1,
  "no floor": 1,
  "three runs a side": 3,
  "eight pairs": 8,
};
const FLOOR_RUNS = 6;
/** A floor is measured anew for every so many pairs. */
const PAIRS_A_FLOOR = 5;
const THRESHOLD_PCT = 3;

/** Judges pairs of simulated runs of a machine. */
export function simulateVerdicts(
  machine: MachineModel,
  { way, pairs, factors = [], change = "none", suite = "kernels" }: SimulatedChange,
): Simulated {
  let seed = 0;
  const runs = (count: number, lengthened: readonly number[] = []): readonly LoadedRun[] =>
    Array.from(
      { length: count },
      () => simulatedRun(machine, { seed: seed++, factors: lengthened, suite }),
    );
  let floor: NoiseFloor | undefined;
  const counts = { rows: 0, falseRows: 0, falsePairs: 0, changed: 0, found: 0 };
  for (let pair = 0; pair < pairs; pair++) {
    if (way === "floor" && pair % PAIRS_A_FLOOR === 0) floor = measureFloor(runs(FLOOR_RUNS));
    const size = RUNS_A_SIDE[way];
    const [own, other] = [runs(size), runs(size, factors)];
    const { rows } = way === "eight pairs"
      ? comparePairs(own.map((run, i) => [run, other[i]!]), THRESHOLD_PCT)
      : compareRuns(own, other, THRESHOLD_PCT, { floor });
    const isChanged = (place: number) => (factors[place] ?? 1) !== 1;
    const called = rows.filter(({ verdict }, i) =>
      !isChanged(i) && (verdict === "faster" || verdict === "slower")
    ).length;
    counts.falseRows += called;
    counts.falsePairs += called > 0 ? 1 : 0;
    counts.rows += rows.filter((_, i) =>
      !isChanged(i)
    ).length;
    counts.changed += rows.filter((_, i) => isChanged(i)).length;
    counts.found += rows.filter(({ verdict }, i) => isChanged(i) && verdict === "slower").length;
  }
  return {
    machine: machine.name,
    way,
    change,
    false_rows: share(counts.falseRows, counts.rows),
    false_pairs: share(counts.falsePairs, pairs),
    found: share(counts.found, counts.changed),
  };
}

/** All machines without a change, judged in every way; and changes on a quiet one. */
export function simulateAll(pairs: number): readonly Simulated[] {
  const half = Array.from({ length: QUIET_MACHINE.rows }, (_, i) => i % 2 === 0 ? 1.1 : 1);
  const serving: MachineModel = { ...QUIET_MACHINE, rows: 1 };
  return [
    ...[QUIET_MACHINE, ...MACHINES].flatMap((machine) =>
      WAYS.map((way) => simulateVerdicts(machine, { way, pairs }))
    ),
    ...WAYS.flatMap((way) => [
      simulateVerdicts(QUIET_MACHINE, { way, pairs, factors: [1.05], change: "1 of 20 by 5 %" }),
      simulateVerdicts(QUIET_MACHINE, { way, pairs, factors: half, change: "half by 10 %" }),
      simulateVerdicts(serving, {
        ...{ way, pairs, factors: [1.5], change: "1 schedule by 50 %" },
        suite: "schedules",
      }),
    ]),
  ];
}

/** Of rows of ten rounds those whose 95 % interval holds the true median, by model of noise. */
export function simulateCoverage(runs: number): Readonly<Record<string, Share>> {
  const size = { rounds: 10, samplesARound: 10, runs };
  return Object.fromEntries(
    Object.keys(NOISE_MODELS).map((name) => [name, share(simulatedHits(name, size), runs)]),
  );
}

/** What became of simulated pairs, as a table. */
export function simulatedText(results: readonly Simulated[]): string {
  const header = ["machine", "judged by", "change", "rows, false", "pairs, false", "found"];
  const text = (value: Share) => value.trials > 0 ? shareText(value) : "";
  return drawn(
    header,
    results.map((r) => [
      r.machine,
      r.way,
      r.change,
      text(r.false_rows),
      text(r.false_pairs),
      text(r.found),
    ]),
  );
}

/** The share of intervals that hold the truth, as a table. */
export function coverageText(coverage: Readonly<Record<string, Share>>): string {
  return drawn(
    ["noise within a run", "95 % intervals that hold the median"],
    Object.entries(coverage).map(([name, held]) => [name, shareText(held)]),
  );
}
