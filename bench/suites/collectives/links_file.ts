import { join } from "node:path";
import { readRows } from "../../../records/files/csv_rows.ts";
import { exists } from "../../../records/files/exists.ts";
import { writeWhole } from "../../../records/files/write_whole.ts";
import { csvHeader, csvLines } from "../../../records/rows/csv_text.ts";
import { LINK_COLUMNS, type LinkRow } from "../../../records/rows/link_columns.ts";
import type { LinkFit } from "../../../statistics/link_fit.ts";
import type { RankGroup } from "./collective_cases.ts";

/** Adds the fit of a link to links.csv in a run folder, in place of an older one of the same link. */
export function writeLink(folder: string, group: RankGroup, fit: LinkFit): void {
  const path = join(folder, "links.csv");
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
  const keys = ["transport", "memory", "ranks"] as const;
  const others = exists(path)
    ? readRows(path).rows.filter((other) => keys.some((key) => other[key] !== String(row[key])))
    : [];
  writeWhole(path, csvHeader(LINK_COLUMNS) + csvLines(LINK_COLUMNS, [...others, row]));
}
