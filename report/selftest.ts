/** How often a comparison invents a change on this machine, and how often it finds one. */

import { Table } from "@cliffy/table";
import type { LoadedRun } from "../records/run_folder/load_run.ts";
import type { SampleRecord } from "../records/run_folder/sample_record.ts";
import { binomialInterval, type ShareInterval } from "../statistics/binomial_interval.ts";
import { compareRuns } from "./compare_runs.ts";
import { classOf, measureFloor, type NoiseFloor } from "./noise_floor.ts";
import { rowSides } from "./row_side.ts";

/** What a comparison made of rows whose truth is known. */
export interface Rates {
  /** How much every sample of one side was lengthened, in %; 0: not at all. */
  readonly slowdown_pct: number;
  /** Whether the sides were measured in turns, or one run after the other. */
  readonly sides: "interleaved" | "one after another";
  readonly rows: number;
  readonly called_faster: number;
  readonly called_slower: number;
}

/** What runs of unchanged code say of the machine and of the verdicts on it. */
export interface Selftest {
  readonly threshold_pct: number;
  /** How far rows move between runs: what `compare` goes by from now on. */
  readonly floor: NoiseFloor;
  /** Shares of unchanged rows, and of pairs of runs, that were called changed: pairs of which no run is in two. */
  readonly false_alarms: { readonly rows: Share; readonly pairs: Share };
  readonly rates: readonly Rates[];
}

/** A share that was seen, with its 95 % interval (Clopper and Pearson). */
export interface Share extends ShareInterval {
  readonly hits: number;
  readonly trials: number;
}

/** Slow-downs that are injected. */
export const SLOWDOWNS_PCT = [0, 1, 2, 5, 10] as const;
/** Fewer runs do not judge a pair by a floor that others have shown. */
export const LEAST_RUNS = 4;

/** Ways to deal the samples of a row out to two sides: by a bit of their number. */
const BITS = [0, 1, 2];

type Sides = readonly [LoadedRun, LoadedRun];
interface TestPair {
  readonly sides: Sides;
  readonly floor: NoiseFloor;
}

/**
 * Judges sides whose truth is known: pairs of runs by the floor that the other runs show, and two sides
 * that samples of one run are dealt to in turns; as they are and with every sample of one side lengthened.
 * @throws {RangeError} for fewer than {@linkcode LEAST_RUNS} runs.
 */
export function selftest(runs: readonly LoadedRun[], thresholdPct: number): Selftest {
  if (runs.length < LEAST_RUNS) {
    throw new RangeError(`Cannot judge pairs of ${runs.length} runs: ${LEAST_RUNS} are needed`);
  }
  const apart = Array.from({ length: Math.floor(runs.length / 2) }, (_, i): TestPair => ({
    sides: [runs[2 * i]!, runs[2 * i + 1]!],
    floor: measureFloor(runs.filter((_, place) => place >> 1 !== i)),
  }));
  const interleaved = runs.slice(0, 2).flatMap((run) =>
    BITS.map((bit): TestPair => ({
      sides: [dealt(run, bit, 0), dealt(run, bit, 1)],
      floor: noScatter(run),
    }))
  );
  const calls = apart.map(({ sides, floor }) => {
    const { rows } = compareRuns(...sides, thresholdPct, { floor });
    const judged = rows.filter(({ verdict }) => verdict !== "no data");
    const called = judged.filter(({ verdict }) => verdict === "faster" || verdict === "slower");
    return { rows: judged.length, called: called.length };
  });
  const sum = (of: (call: typeof calls[number]) => number) =>
    calls.reduce((total, call) => total + of(call), 0);
  return {
    threshold_pct: thresholdPct,
    floor: measureFloor(runs),
    false_alarms: {
      rows: share(sum(({ called }) => called), sum(({ rows }) => rows)),
      pairs: share(sum(({ called }) => called > 0 ? 1 : 0), calls.length),
    },
    rates: SLOWDOWNS_PCT.flatMap((slowdown) => [
      rates(interleaved, { slowdown, thresholdPct, sides: "interleaved" }),
      rates(apart, { slowdown, thresholdPct, sides: "one after another" }),
    ]),
  };
}

/** A share with its interval. */
export function share(hits: number, trials: number): Share {
  const unknown = { share: NaN, low: 0, high: 1 };
  return { hits, trials, ...(trials > 0 ? binomialInterval(hits, trials) : unknown) };
}

function rates(
  pairs: readonly TestPair[],
  { slowdown, thresholdPct, sides }: {
    readonly slowdown: number;
    readonly thresholdPct: number;
    readonly sides: Rates["sides"];
  },
): Rates {
  const verdicts = pairs.flatMap(({ sides: [a, b], floor }) => {
    const slower = withSeries(
      b,
      (name, values) =>
        name === "round" ? values : values.map((value) => value * (1 + slowdown / 100)),
    );
    return compareRuns(a, slower, thresholdPct, { floor }).rows
      .map(({ verdict }) => verdict).filter((verdict) => verdict !== "no data");
  });
  return {
    slowdown_pct: slowdown,
    sides,
    rows: verdicts.length,
    called_faster: verdicts.filter((verdict) => verdict === "faster").length,
    called_slower: verdicts.filter((verdict) => verdict === "slower").length,
  };
}

/** Sides of one run share its mood: nothing moves between them. */
function noScatter(run: LoadedRun): NoiseFloor {
  const classes = [...rowSides([run]).values()].flatMap((side) => classOf(side) ?? []);
  const none = { scatter_pct: 0, degrees: Infinity, rows: 0, runs: 1 };
  return { machine: {}, floors: Object.fromEntries(classes.map((name) => [name, none])) };
}

/** The samples of a run whose number has a bit as given: every other one, every other two, four. */
function dealt(run: LoadedRun, bit: number, value: 0 | 1): LoadedRun {
  return withSeries(run, (_, values) => values.filter((_, i) => (i >> bit & 1) === value));
}

function withSeries(
  run: LoadedRun,
  change: (name: string, values: readonly number[]) => readonly number[],
): LoadedRun {
  const samples = new Map([...run.samples].map(([key, record]): [string, SampleRecord] => [key, {
    ...record,
    series: Object.fromEntries(
      Object.entries(record.series).map(([name, values]) => [name, change(name, values)]),
    ),
  }]));
  return { ...run, samples };
}

/** The floor, the false alarms and the rates as tables, and lines that explain them. */
export function selftestText({ threshold_pct, floor, false_alarms, rates }: Selftest): string {
  const { rows, pairs } = false_alarms;
  return [
    drawn(
      ["class of row", "rows", "runs", "two runs apart %"],
      Object.entries(floor.floors).map(([name, { scatter_pct, ...found }]) => [
        name,
        String(found.rows),
        String(found.runs),
        scatter_pct.toFixed(2),
      ]),
    ),
    "",
    `False alarms: ${shareText(rows)} of unchanged rows, ${shareText(pairs)} of pairs of runs.`,
    "",
    drawn(
      ["sides", "slow-down %", "rows", "slower %", "faster %"],
      rates.map((r) => [
        r.sides,
        String(r.slowdown_pct),
        String(r.rows),
        pct(r.called_slower, r.rows),
        pct(r.called_faster, r.rows),
      ]),
    ),
    `Slow-downs are injected by lengthening every sample of one side. Interleaved: the samples of one ` +
    `run dealt to two sides in turns. One after another: two runs, by the floor of the others. ` +
    `Threshold ${threshold_pct} %.`,
  ].join("\n");
}

/** A share in words: `1.2 % (3 of 250; 0.2 to 3.5 %)`. */
export function shareText({ hits, trials, low, high }: Share): string {
  const percent = (value: number) => (100 * value).toFixed(1);
  return `${pct(hits, trials)} % (${hits} of ${trials}; ${percent(low)} to ${percent(high)} %)`;
}

/** A table whose first column is text. */
export function drawn(
  header: readonly string[],
  body: readonly (readonly string[])[],
): string {
  const columns = header.map((_, i) => ({ align: i === 0 ? "left" : "right" } as const));
  return new Table().header([...header]).body(body.map((line) => [...line])).columns(columns)
    .padding(2).toString();
}

function pct(part: number, all: number): string {
  return all === 0 ? "-" : (100 * part / all).toFixed(1);
}
