import { join } from "node:path";
import type { Config } from "../../../config/config.ts";
import { readRows } from "../../../records/files/csv_rows.ts";
import { exists } from "../../../records/files/exists.ts";
import { writeWhole } from "../../../records/files/write_whole.ts";
import type { Cells } from "../../../records/rows/column.ts";
import { csvHeader, csvLines } from "../../../records/rows/csv_text.ts";
import { LINK_COLUMNS, type LinkRow } from "../../../records/rows/link_columns.ts";
import { type CollectiveRow, rowKey } from "../../../records/rows/row.ts";
import type { LinkFit } from "../../../statistics/link_fit.ts";
import type { Session } from "../../measure/session.ts";
import { MEASURED_BEFORE, type SuiteRun } from "../suite_run.ts";
import {
  type CollectiveCase,
  collectiveCases,
  collectiveKey,
  collectiveLabel,
  type RankGroup,
} from "./collective_cases.ts";
import { collectiveRow } from "./collective_row.ts";
import { measureGroup } from "./measure_group.ts";

/** Measures the collectives suite of a configuration; rows come as cases are done. */
export async function runCollectives(
  config: Config,
  session: Session,
  run: SuiteRun<CollectiveRow>,
): Promise<void> {
  const cases = collectiveCases(config, run.filter);
  const groups = Map.groupBy(cases, (c) => `${c.transport} ${c.memory} ${c.ranks}`);
  const isMissing = (c: CollectiveCase) =>
    !run.finished.has(rowKey("collectives", collectiveKey(c)));
  let done = cases.length - cases.filter(isMissing).length;
  if (done > 0) run.onProgress({ done, total: cases.length, label: MEASURED_BEFORE });
  for (const own of groups.values()) {
    if (run.signal.aborted) return;
    const missing = own.filter(isMissing);
    if (missing.length === 0 && hasLink(run.folder, own[0]!)) continue;
    const link = await measureGroup(config, session, {
      group: own[0]!,
      cases: missing,
      signal: run.signal,
      onResult: async (c, result) => {
        const { device, canary } = session;
        const context = { device, runId: run.runId, canary: await canary.read() };
        run.onRow(collectiveRow(result, c, context));
        run.onProgress({ done: ++done, total: cases.length, label: collectiveLabel(c) });
      },
    });
    if (link) writeLink(run.folder, own[0]!, link);
    await session.tuning.save();
  }
}

const LINK_KEYS = ["transport", "memory", "ranks"] as const;

/** The rows of links.csv in a run folder: those of a group, and the others. */
function linkRows(folder: string, group: RankGroup) {
  const path = join(folder, "links.csv");
  const isOwn = (row: Cells) => LINK_KEYS.every((key) => row[key] === String(group[key]));
  const rows: readonly Cells[] = exists(path) ? readRows(path).rows : [];
  return { path, own: rows.filter(isOwn), others: rows.filter((row) => !isOwn(row)) };
}

function hasLink(folder: string, group: RankGroup): boolean {
  return linkRows(folder, group).own.length > 0;
}

/** Adds the fit of a link to links.csv in a run folder, in place of an older one of the same link. */
function writeLink(folder: string, group: RankGroup, fit: LinkFit): void {
  const { path, others } = linkRows(folder, group);
  const row: LinkRow = {
    transport: group.transport,
    memory: group.memory,
    ranks: group.ranks,
    alpha_us: fit.alphaUs,
    alpha_us_ci_low: fit.alphaLow,
    alpha_us_ci_high: fit.alphaHigh,
    bandwidth_gbytes_per_s: fit.gbytesPerS,
    bandwidth_ci_low: fit.bandwidthLow,
    bandwidth_ci_high: fit.bandwidthHigh,
    held_out_error_pct: fit.heldOutErrorPct,
  };
  writeWhole(path, csvHeader(LINK_COLUMNS) + csvLines(LINK_COLUMNS, [...others, row]));
}
