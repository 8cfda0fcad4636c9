import type { Config } from "../../../config/config.ts";
import { type CollectiveRow, rowKey } from "../../../records/rows/row.ts";
import type { LinkFit } from "../../../statistics/link_fit.ts";
import type { Session } from "../../measure/session.ts";
import type { SuiteRun } from "../suite_run.ts";
import {
  collectiveCases,
  collectiveKey,
  collectiveLabel,
  type RankGroup,
} from "./collective_cases.ts";
import { collectiveRow } from "./collective_row.ts";
import { measureGroup } from "./measure_group.ts";

/** A run of the collectives suite. */
export interface CollectivesRun extends SuiteRun<CollectiveRow> {
  readonly onLink: (group: RankGroup, fit: LinkFit) => void;
}

/** Measures the collectives suite of a configuration; rows come as their ranks are done. */
export async function runCollectives(
  config: Config,
  session: Session,
  run: CollectivesRun,
): Promise<void> {
  const cases = collectiveCases(config, run.filter);
  const groups = Map.groupBy(cases, (c) => `${c.transport} ${c.memory} ${c.ranks}`);
  let done = 0;
  for (const own of groups.values()) {
    if (run.signal.aborted) return;
    const missing = own.filter((c) => !run.finished.has(rowKey("collectives", collectiveKey(c))));
    const group = await measureGroup(config, session, { cases: missing, signal: run.signal });
    if (!group) return;
    const canaryPct = await session.canary.driftPct();
    for (const [c, result] of group.results) {
      const about = { device: session.device, runId: run.runId, canaryPct };
      const { row, series } = collectiveRow(result, c, about);
      run.onRow(row, series);
    }
    if (group.link) run.onLink(own[0]!, group.link);
    await session.tuning.save();
    done += own.length;
    run.onProgress({ done, total: cases.length, label: collectiveLabel(own.at(-1)!) });
  }
}
