/** Runs of unchanged code as machines make them: models of noise, to try verdicts on. */

import type { Suite } from "../records/rows/suite.ts";
import type { LoadedRun, TextRow } from "../records/run_folder/load_run.ts";
import { generator } from "../statistics/counter_generator.ts";
import { simulateSamples } from "../statistics/noise_models.ts";

const ROUNDS = 8;
const SAMPLES_A_ROUND = 8;

/** How the times of a machine move. */
export interface MachineModel {
  readonly name: string;
  /** What a row's samples scatter by within a run: a model of `NOISE_MODELS`, or a random walk. */
  readonly within: string;
  /** Of the logarithms of that; 1 is what the model says. */
  readonly scale: number;
  /** Rows of a run. */
  readonly rows: number;
  /** Standard deviation of what a row keeps through a run, in %. */
  readonly rowMovesPct: number;
  /** The same of what all rows of a run share. */
  readonly runMovesPct: number;
  /** Whether samples say in which round they were taken. */
  readonly knowsRounds: boolean;
}

const model = (name: string, within: string, more: Partial<MachineModel> = {}): MachineModel => ({
  ...{ name, within, scale: 1, rows: 20, rowMovesPct: 0, runMovesPct: 0, knowsRounds: true },
  ...more,
});

const WALK = "random walk";
/** Standard deviation of a step of the walk from one sample to the next. */
const WALK_STEP = 0.003;

/** Machines whose noise must not become verdicts. */
export const MACHINES: readonly MachineModel[] = [
  model("independent", "independent"),
  model("heavy tail", "heavy tail"),
  model("AR(0.5), no rounds", "AR(0.5)", { knowsRounds: false }),
  model("AR(0.9), no rounds", "AR(0.9)", { knowsRounds: false }),
  model("AR(0.9)", "AR(0.9)"),
  model("turns share 3 %", "turns share 3 %"),
  model("two clock states", "two clock states"),
  model("4 rows move 2 % between runs", "independent", { rows: 4, rowMovesPct: 2 }),
  model("all rows move 2 % together", "independent", { runMovesPct: 2 }),
  model("random walk", WALK),
];

/** A quiet machine: two runs of a row are 1 % apart, samples scatter by 1 %. */
export const QUIET_MACHINE: MachineModel = model("quiet, 1 % between runs", "independent", {
  scale: 1 / 3,
  rowMovesPct: 1 / Math.SQRT2,
});

/** Which run is simulated. */
export interface SimulatedRun {
  readonly seed: number;
  /** Factors on the times of rows, by place; 1 where absent. */
  readonly factors?: readonly number[];
  readonly suite?: Suite;
}

/** A run as a machine measures it: rows of 2 ms in 8 rounds of 8 samples. */
export function simulatedRun(
  machine: MachineModel,
  { seed, factors = [], suite = "kernels" }: SimulatedRun,
): LoadedRun {
  const random = generator(`${machine.name} ${suite}`, seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const run_id = `${machine.name} ${seed}`;
  const shared = machine.runMovesPct / 100 * normal();
  const made = Array.from({ length: machine.rows }, (_, place) => {
    const us = 2000 * (factors[place] ?? 1) *
      Math.exp(shared + machine.rowMovesPct / 100 * normal());
    const samples = machine.within === WALK ? walk(normal) : simulateSamples(machine.within, {
      rounds: ROUNDS,
      samplesARound: SAMPLES_A_ROUND,
      seed: Math.floor(random() * 2 ** 31),
    }).samples;
    const times = samples.map((sample) => us * (sample / 100) ** machine.scale);
    const round = times.map((_, i) => Math.floor(i / SAMPLES_A_ROUND));
    const row: TextRow = {
      ...{ run_id, suite, row_key: `row${place}`, status: "ok", adapter: "simulated" },
      ...{ dtype: "float32", schema_version: "1", clock: "gpu", op: `row${place}`, mode: "hot" },
    };
    const series = suite === "schedules"
      ? { wall_ms: times.map((time) => time / 1000) }
      : { gpu_us: times, ...(machine.knowsRounds ? { round } : {}) };
    return { row, series };
  });
  const rows = made.map(({ row }) => row);
  return {
    path: run_id,
    manifest: undefined,
    suites: [{ suite, path: run_id, headers: Object.keys(rows[0] ?? {}), rows }],
    samples: new Map(
      made.map(({ row, series }) => [row["row_key"]!, { row_key: row["row_key"]!, series }]),
    ),
  };
}

function walk(normal: () => number): readonly number[] {
  let log = 0;
  return Array.from(
    { length: ROUNDS * SAMPLES_A_ROUND },
    () => 100 * Math.exp(log += WALK_STEP * normal()),
  );
}
