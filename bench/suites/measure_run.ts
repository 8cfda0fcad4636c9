import {
  collectiveCases,
  collectiveLabel,
  type RankGroup,
} from "./collectives/collective_cases.ts";
import type { Config } from "../../config/config.ts";
import type { CsvWriter } from "../../records/run_folder/csv_writer.ts";
import { hashFiles } from "../../records/run_folder/file_hashes.ts";
import { describeEnvironment } from "../../records/run_folder/environment.ts";
import type { LinkFit } from "../../statistics/link_fit.ts";
import { writeLink } from "./collectives/links_file.ts";
import type { CollectiveRow, KernelRow, ScheduleRow } from "../../records/rows/row.ts";
import { runCollectives } from "./collectives/run_collectives.ts";
import type { RunFolder } from "../../records/run_folder/run_folder.ts";
import { caseLabel, casesOf, runKernels } from "./kernels/run_kernels.ts";
import { runSchedules } from "./schedules/run_schedules.ts";
import type { SampleRecord } from "../../records/run_folder/sample_record.ts";
import { scheduleCases, scheduleLabel } from "./schedules/schedule_cases.ts";
import { ScheduleFiles } from "./schedules/schedule_files.ts";
import { Session } from "../measure/session.ts";
import { Device } from "../../device/device.ts";
import type { Suite } from "../../records/rows/suite.ts";
import type { Progress } from "./suite_run.ts";
import { adapterOptions } from "../../config/decoder_source.ts";

/** What of a configuration is measured. */
export interface Selection {
  readonly suites: readonly Suite[];
  /** Only cases whose line matches. */
  readonly filter: RegExp | undefined;
}

/** What a run measured. */
export interface MeasuredRun {
  /** The run folder. */
  readonly folder: string;
  readonly kernels: readonly KernelRow[];
  readonly collectives: readonly CollectiveRow[];
  readonly schedules: readonly ScheduleRow[];
  /** Paths of the CSV files, in that order. */
  readonly paths: readonly string[];
  /** A few lines of text for each pipelined case. */
  readonly timelines: readonly string[];
}

/** Twice this is evicted in cold mode where the machine does not say how large its cache is. */
const DEFAULT_CACHE_BYTES = 32 * 2 ** 20;

/** Every case of a selection, a line each. */
export function caseLines(config: Config, { suites, filter }: Selection): readonly string[] {
  const lines: Readonly<Record<Suite, () => readonly string[]>> = {
    kernels: () => casesOf(config, filter).map(caseLabel),
    collectives: () => collectiveCases(config, filter).map(collectiveLabel),
    schedules: () => scheduleCases(config, filter).map(scheduleLabel),
  };
  return suites.flatMap((suite) => lines[suite]());
}

/**
 * Measures a selection into a folder that `open` makes once there is an adapter; rows are on the disk
 * as they are finished, in an interrupted run too. `tuning` is the folder of tuning results.
 */
export async function measureRun(
  config: Config,
  selection: Selection,
  { open, signal, progress, tuning = "tuning" }: {
    readonly open: () => RunFolder;
    readonly signal: AbortSignal;
    /** Makes what is told the progress of a suite. */
    readonly progress: () => (progress: Progress) => void;
    readonly tuning?: string | undefined;
  },
): Promise<MeasuredRun> {
  const { suites, filter } = selection;
  await using device = await Device.open(adapterOptions(config));
  using folder = open();
  folder.updateManifest({
    environment: describeEnvironment({ argv: Deno.args }),
    adapter: device.identity,
    selection: { suites, filter: filter?.source ?? null },
  });
  using session = await Session.open(device, tuning);
  const measured = {
    kernels: [] as KernelRow[],
    collectives: [] as CollectiveRow[],
    schedules: [] as ScheduleRow[],
  };
  const suiteRun = <Row extends KernelRow | CollectiveRow | ScheduleRow>(
    rows: Row[],
    csv: CsvWriter,
  ) => ({
    runId: folder.runId,
    filter,
    finished: csv.finished,
    memoryBytes: Deno.systemMemoryInfo().available,
    signal,
    onRow: (row: Row, series: SampleRecord["series"]) => {
      folder.appendSamples({ row_key: row.row_key ?? "", series, row: csv.cells(row) });
      csv.write(row);
      rows.push(row);
    },
    onProgress: progress(),
  });
  const paths: string[] = [];
  const begin = (suite: Suite) => {
    const csv = folder.rows(suite);
    paths.push(csv.path);
    return csv;
  };
  if (suites.includes("kernels")) {
    const cacheBytes = lastLevelCacheBytes() ?? DEFAULT_CACHE_BYTES;
    const run = suiteRun(measured.kernels, begin("kernels"));
    await runKernels(config, session, { ...run, cacheBytes });
  }
  if (suites.includes("collectives") && !signal.aborted) {
    const onLink = (group: RankGroup, fit: LinkFit) => writeLink(folder.path, group, fit);
    const run = suiteRun(measured.collectives, begin("collectives"));
    await runCollectives(config, session, { ...run, onLink });
  }
  const scheduleFiles = new ScheduleFiles(folder.path);
  if (suites.includes("schedules") && !signal.aborted) {
    await runSchedules(config, session, {
      ...suiteRun(measured.schedules, begin("schedules")),
      onTrace: (label, repetition) => scheduleFiles.addTrace(label, repetition),
      onRanks: (ranks) => scheduleFiles.addRanks(ranks),
    });
  }
  const files = hashFiles(folder.path);
  folder.updateManifest({ ...session.report(), files, interrupted: signal.aborted });
  return { ...measured, folder: folder.path, paths, timelines: scheduleFiles.texts };
}

/** The size of the last-level cache, where Linux says it. */
function lastLevelCacheBytes(): number | undefined {
  try {
    const text = Deno.readTextFileSync("/sys/devices/system/cpu/cpu0/cache/index3/size").trim();
    const [, size, unit] = /^(\d+)([KM])$/.exec(text) ?? [];
    return size === undefined ? undefined : Number(size) * (unit === "M" ? 2 ** 20 : 2 ** 10);
  } catch {
    return undefined;
  }
}
