/** How often a comparison invents a change, and how often it finds one. */

import { Table } from "@cliffy/table";
import type { SampleRecord } from "../records/run_folder/sample_record.ts";
import { compareRuns } from "./compare_runs.ts";
import type { LoadedRun } from "../records/run_folder/load_run.ts";

/** What a comparison made of rows whose truth is known. */
export interface Rates {
  /** How much every sample of one side was lengthened, in %; 0: not at all. */
  readonly slowdown_pct: number;
  /** Whether the sides were measured in turns, or one run after the other. */
  readonly sides: "interleaved" | "one after another";
  readonly rows: number;
  readonly called_faster: number;
  readonly called_slower: number;
  /** Of them the rows whose noise is under 1 %. */
  readonly quiet_rows: number;
  readonly quiet_called_slower: number;
  readonly quiet_called_faster: number;
}

/** Slow-downs that are injected. */
export const SLOWDOWNS_PCT = [0, 1, 2, 5, 10] as const;

/** Ways to deal the samples of a row out to two sides: by a bit of their number. */
const BITS = [0, 1, 2];
const QUIET_PCT = 1;

/**
 * Compares sides whose truth is known: two that samples of one run are dealt to in turns, and two runs,
 * each as they are and with every sample of one side lengthened.
 */
export function selftest(
  runs: readonly [LoadedRun, LoadedRun],
  thresholdPct: number,
): readonly Rates[] {
  const interleaved = runs.flatMap((run) =>
    BITS.map((bit) => [dealt(run, bit, 0), dealt(run, bit, 1)] as const)
  );
  return SLOWDOWNS_PCT.flatMap((slowdown) => [
    rates(interleaved, { slowdown, thresholdPct, sides: "interleaved" }),
    rates([runs], { slowdown, thresholdPct, sides: "one after another" }),
  ]);
}

function rates(
  pairs: readonly (readonly [LoadedRun, LoadedRun])[],
  { slowdown, thresholdPct, sides }: {
    readonly slowdown: number;
    readonly thresholdPct: number;
    readonly sides: Rates["sides"];
  },
): Rates {
  const compared = pairs.flatMap(([a, b]) => {
    const noise = new Map(
      a.suites.flatMap(({ rows }) => rows.map((row) => [row["row_key"], Number(row["noise_pct"])])),
    );
    const slower = withSamples(b, (values) => values.map((value) => value * (1 + slowdown / 100)));
    return compareRuns(a, slower, thresholdPct).rows
      .filter(({ verdict }) => verdict !== "no data")
      .map(({ verdict, row_key }) => ({ verdict, isQuiet: noise.get(row_key)! < QUIET_PCT }));
  });
  const count = (of: (row: typeof compared[number]) => boolean) => compared.filter(of).length;
  return {
    slowdown_pct: slowdown,
    sides,
    rows: compared.length,
    called_faster: count(({ verdict }) => verdict === "faster"),
    called_slower: count(({ verdict }) => verdict === "slower"),
    quiet_rows: count(({ isQuiet }) => isQuiet),
    quiet_called_slower: count(({ verdict, isQuiet }) => isQuiet && verdict === "slower"),
    quiet_called_faster: count(({ verdict, isQuiet }) => isQuiet && verdict === "faster"),
  };
}

/** The samples of a run whose number has a bit as given: every other one, every other two, four. */
function dealt(run: LoadedRun, bit: number, value: 0 | 1): LoadedRun {
  const part = withSamples(run, (values) => values.filter((_, i) => (i >> bit & 1) === value));
  // The two sides are resampled differently.
  const suites = part.suites.map((suite) => ({
    ...suite,
    rows: suite.rows.map((row) => ({ ...row, run_id: `${row["run_id"]} ${bit} ${value}` })),
  }));
  return { ...part, suites };
}

function withSamples(
  run: LoadedRun,
  change: (values: readonly number[]) => readonly number[],
): LoadedRun {
  const samples = new Map([...run.samples].map(([key, record]): [string, SampleRecord] => [key, {
    ...record,
    series: Object.fromEntries(
      Object.entries(record.series).map(([name, values]) => [name, change(values)]),
    ),
  }]));
  return { ...run, samples };
}

/** The rates as a table, and a line that explains it. */
export function ratesText(rates: readonly Rates[], thresholdPct: number): string {
  const pct = (part: number, all: number) => all === 0 ? "" : `${(100 * part / all).toFixed(1)}`;
  const header = [
    "sides",
    "slow-down %",
    "rows",
    "slower %",
    "faster %",
    "quiet rows",
    "slower %",
    "faster %",
  ];
  const body = rates.map((r) => [
    r.sides,
    String(r.slowdown_pct),
    String(r.rows),
    pct(r.called_slower, r.rows),
    pct(r.called_faster, r.rows),
    String(r.quiet_rows),
    pct(r.quiet_called_slower, r.quiet_rows),
    pct(r.quiet_called_faster, r.quiet_rows),
  ]);
  const columns = header.map((_, i) => ({ align: i === 0 ? "left" : "right" } as const));
  return [
    new Table().header(header).body(body).columns(columns).padding(2).toString(),
    `Slow-downs are injected by lengthening every sample of one side. Interleaved: the samples of one ` +
    `run dealt to two sides in turns. Quiet: noise under 1 %. Threshold ${thresholdPct} %.`,
  ].join("\n");
}
