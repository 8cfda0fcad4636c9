import type { Config } from "../../config/config.ts";
import { ConfigError, describeProblem } from "../../config/config_error.ts";
import { adapterOptions } from "../../config/decoder_source.ts";
import type { Device } from "../../device/device.ts";
import { openOwnDevice } from "../../device/own_device.ts";
import { type Suite, SUITES } from "../../records/rows/suite.ts";
import type { AnyRow, SuiteRows } from "../../records/rows/suite_rows.ts";
import { describeEnvironment } from "../../records/run_folder/environment.ts";
import { createRunFolder, resumeRunFolder } from "../../records/run_folder/run_folder.ts";
import { TUNING_FOLDER } from "../measure/tuning_store.ts";
import { openSession, type Session } from "../measure/session.ts";
import {
  collectiveCases,
  collectiveLabel,
  collectiveProblems,
} from "./collectives/collective_cases.ts";
import { runCollectives } from "./collectives/run_collectives.ts";
import { kernelCases, kernelLabel } from "./kernels/kernel_cases.ts";
import { runKernels } from "./kernels/run_kernels.ts";
import type { SchedulesRun } from "./schedules/layout_rows.ts";
import { runSchedules } from "./schedules/run_schedules.ts";
import { scheduleCases, scheduleLabel } from "./schedules/schedule_cases.ts";
import { ScheduleFiles } from "./schedules/schedule_files.ts";
import type { Progress, SuiteRun } from "./suite_run.ts";

/** What of a configuration is measured. */
export interface Selection {
  /** Suites; those that the configuration has not are passed over; all where absent. */
  readonly suites?: readonly Suite[] | undefined;
  /** Only cases whose line of {@linkcode caseLines} matches; without flags. */
  readonly filter?: RegExp | undefined;
}

/** How far a suite of a run is. */
export interface RunProgress extends Progress {
  /** The suite that is under way. */
  readonly suite: Suite;
}

/** A run: what is measured, where to, and who is told. */
export interface RunRequest {
  /** What {@linkcode loadConfig} gave. */
  readonly config: Config;
  /** Everything that the configuration has, where absent. */
  readonly selection?: Selection;
  /** A new or empty folder for the results; `results/<name>/<UTC time>` where absent. */
  readonly folder?: string | undefined;
  /** Whether what lies in `folder` is moved beside it to make room. */
  readonly force?: boolean;
  /** The folder of a run that was cut off, in place of `folder`: only missing rows are measured. */
  readonly resume?: string | undefined;
  /** Whether that run goes on though adapter, driver, commit, sources or machine are others; it is noted. */
  readonly resumeAnyway?: boolean | undefined;
  /** The adapter; opened as the configuration says, and closed again, where absent. */
  readonly device?: Device;
  /** The folder of tuning results; `tuning` beside this program where absent. */
  readonly tuning?: string;
  /** Called when a case, or a group of cases that are measured together, is done. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Ends the run: what is finished by then is on the disk. */
  readonly signal?: AbortSignal;
}

/** What a run measured. */
export interface MeasuredRun extends SuiteRows {
  /** The run folder. */
  readonly folder: string;
  /** Paths of the CSV files, in the order of the suites. */
  readonly paths: readonly string[];
  /** A few lines of text for each pipelined case. */
  readonly timelines: readonly string[];
  /** Whether the signal ended it before its end. */
  readonly interrupted: boolean;
}

/** A suite: its cases, a line each, and how they are measured. */
interface SuiteRunner<Row extends AnyRow> {
  readonly cases: (config: Config, filter: RegExp | undefined) => readonly string[];
  readonly measure: (
    config: Config,
    session: Session,
    run: SuiteRun<Row> & Pick<SchedulesRun, "files">,
  ) => Promise<void>;
}

const RUNNERS: { readonly [S in Suite]: SuiteRunner<SuiteRows[S][number]> } = {
  kernels: {
    cases: (config, filter) => kernelCases(config, filter).map(kernelLabel),
    measure: runKernels,
  },
  collectives: {
    cases: (config, filter) => collectiveCases(config, filter).map(collectiveLabel),
    measure: runCollectives,
  },
  schedules: {
    cases: (config, filter) => scheduleCases(config, filter).map(scheduleLabel),
    measure: runSchedules,
  },
};

/**
 * Every case of a selection, a line each, in the order of the suites.
 * @throws {RangeError} where a suite is unknown or the filter has flags.
 * @throws {ConfigError} where no case is left.
 */
export function caseLines(config: Config, selection: Selection = {}): readonly string[] {
  const lines = suitesOf(config, selection)
    .flatMap((suite) => RUNNERS[suite].cases(config, selection.filter));
  if (lines.length > 0) return lines;
  const problems = selection.filter ? [] : collectiveProblems(config);
  const found = problems.length > 0
    ? `cases none of which can be run: ${problems.join("; ")}`
    : "suites and a filter that leave no case";
  const has = SUITES.filter((suite) => config[suite] !== undefined).join(", ") || "no suite at all";
  const legal = `what leaves a case of the configuration, which has ${has}`;
  throw new ConfigError(config.path, [describeProblem({ path: "selection", found }, legal)]);
}

/**
 * Measures a selection of a configuration; rows are on the disk as soon as they are finished, in an
 * aborted run too. Needs read permission, write permission for the folders, and
 * `--allow-sys=systemMemoryInfo`; an adapter is opened before the folder is made.
 * @throws {RangeError} where a suite is unknown or the filter has flags.
 * @throws {ConfigError} where no case is left.
 * @throws {DeviceError} `NoAdapter` where there is none, `DeviceLost` where it goes away.
 * @throws {FileError} where the folder cannot be made, is not empty, or is another run's; where a run is
 * resumed and what would measure differs from what did.
 */
export async function measureRun(request: RunRequest): Promise<MeasuredRun> {
  const { config, tuning = TUNING_FOLDER, signal } = request;
  caseLines(config, request.selection); // throws where there is nothing to run
  await using opened = request.device
    ? undefined
    : await openOwnDevice(adapterOptions(config), { signal });
  const device = request.device ?? opened!;
  return await measureWith(request, { device, open: () => openSession(device, tuning) });
}

/** What a run measures with: its session is opened once the folder is there. */
export interface RunDevice {
  readonly device: Device;
  readonly open: () => Promise<Session>;
}

/**
 * As {@linkcode measureRun}, in a session of the caller's, which is disposed of at the end.
 * @internal
 */
export async function measureWith(
  request: RunRequest,
  { device, open }: RunDevice,
): Promise<MeasuredRun> {
  const { config, selection = {} } = request;
  const { onProgress = () => {}, signal = new AbortController().signal } = request;
  const suites = suitesOf(config, selection);
  const filter = selection.filter?.source ?? null;
  const part = {
    environment: { ...describeEnvironment({ argv: Deno.args }) },
    adapter: { ...device.identity },
    selection: { suites: [...suites], filter },
  };
  using folder = request.resume === undefined
    ? createRunFolder(config, part, { out: request.folder, force: request.force ?? false })
    : resumeRunFolder(request.resume, { config, part, anyway: request.resumeAnyway ?? false });
  using session = await open();
  folder.updatePart({ ceilings: session.ceilings }); // rows refer to them, of a run that is cut off too
  const rows: Record<Suite, AnyRow[]> = { kernels: [], collectives: [], schedules: [] };
  const paths: string[] = [];
  const files = new ScheduleFiles(folder.path);
  for (const suite of suites) {
    if (signal.aborted) break;
    const { path } = folder.rows(suite);
    paths.push(path);
    const runner = RUNNERS[suite] as unknown as SuiteRunner<AnyRow>;
    await runner.measure(config, session, {
      runId: folder.runId,
      folder: folder.path,
      files,
      filter: selection.filter,
      finished: folder.finished(suite),
      memoryBytes: Deno.systemMemoryInfo().available,
      signal,
      onRow: (one) => {
        folder.addRow(suite, one);
        rows[suite].push(one.row);
      },
      onProgress: (progress) => onProgress({ ...progress, suite }),
    });
    if (!signal.aborted && filter === null) folder.dropStale(suite);
    folder.updatePart({ ...session.report() });
  }
  const interrupted = signal.aborted;
  folder.seal({ interrupted });
  // Each suite's runner made its own kind of rows.
  const own = rows as unknown as SuiteRows;
  return { ...own, folder: folder.path, paths, timelines: files.texts, interrupted };
}

/** The suites that are wanted and that the configuration has, in their fixed order. */
function suitesOf(config: Config, { suites = SUITES, filter }: Selection): readonly Suite[] {
  const unknown = suites.find((suite) => !SUITES.includes(suite));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot run the suite "${unknown}"; legal: ${SUITES.join(", ")}`);
  }
  if (filter && filter.flags !== "") {
    // The manifest keeps a filter's text alone, and a replay must select the same cases.
    throw new RangeError(`Cannot filter by ${filter}; legal: a regular expression without flags`);
  }
  return SUITES.filter((suite) => suites.includes(suite) && config[suite] !== undefined);
}
