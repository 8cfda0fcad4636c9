import type { AlgorithmName, CollectiveName } from "../../../collectives/registry.ts";
import { COLLECTIVES } from "../../../collectives/registry.ts";
import { DeviceError } from "../../../device/device_error.ts";
import { arenaBytes } from "../../../runtime/same_device.ts";
import {
  caseProblem,
  type CollectiveCase,
  collectiveCases,
  collectiveKey,
  collectiveLabel,
  elementsOf,
  type RankGroup,
} from "./collective_cases.ts";
import type { LoopResult } from "./collective_loop.ts";
import { CollectiveRanks } from "./collective_ranks.ts";
import { type CollectiveResult, collectiveRow, slowest } from "./collective_row.ts";
import type { Config } from "../../../config/config.ts";
import { fitLink, type LinkFit } from "../../../statistics/link_fit.ts";
import type { StopCriteria } from "../../measure/timer.ts";
import { parseMessageSizes } from "../../../config/message_sizes.ts";
import { measureOverlap } from "./overlap.ts";
import { type CollectiveRow, rowKey } from "../../../records/rows/row.ts";
import { stopCriteria } from "../suite_run.ts";
import { measureSameDevice } from "./same_device_loop.ts";
import type { Session } from "../../measure/session.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import type { SuiteRun } from "../suite_run.ts";
import { median } from "../../../statistics/summary.ts";

/** A run of the collectives suite. */
export interface CollectivesRun extends SuiteRun<CollectiveRow> {
  readonly onLink: (group: RankGroup, fit: LinkFit) => void;
}

/** A case whose algorithm is a step program. */
type ProgramCase = CollectiveCase & { readonly algorithm: AlgorithmName };

/** Each case is measured in so many parts, all cases of a group in turn: a slow spell hits them all. */
const ROUNDS = 3;

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

interface GroupResult {
  readonly results: ReadonlyMap<CollectiveCase, CollectiveResult>;
  readonly link: LinkFit | undefined;
}

/** Measures cases on one set of ranks; undefined where an interrupt came first. */
async function measureGroup(
  config: Config,
  session: Session,
  { cases, signal }: { readonly cases: readonly CollectiveCase[]; readonly signal: AbortSignal },
): Promise<GroupResult | undefined> {
  const results = new Map<CollectiveCase, CollectiveResult>();
  const skip = (c: CollectiveCase, reason: string) =>
    results.set(c, { status: "skipped", reason, ranks: [], clock: "host" });
  const runnable: CollectiveCase[] = [];
  for (const c of cases) {
    const problem = caseProblem(c) ?? roomProblem(c, session);
    if (problem === undefined) runnable.push(c);
    else skip(c, problem);
  }
  const [first] = runnable;
  if (!first) return { results, link: undefined };
  const { transport, memory, ranks } = first;
  const group = { transport, memory, ranks };
  // The link is measured, whether its rows were asked for or not.
  const link = Object.values(COLLECTIVES).find(({ measures }) => measures === "link")!;
  const linkCases = transport === "workers" && ranks > 1
    ? parseMessageSizes(config.collectives!.sizes).map((messageBytes): ProgramCase => ({
      ...group,
      op: link.name as CollectiveName,
      algorithm: Object.keys(link.algorithms)[0] as AlgorithmName,
      messageBytes,
    })).filter((c) => roomProblem(c, session) === undefined)
    : [];
  const capacity = Math.max(...[...runnable, ...linkCases].map(elementsOf));
  const rule = partOf(stopCriteria(config));
  const parts = new Map<string, LoopResult[][]>();
  const label = (c: CollectiveCase) => collectiveLabel(c);
  const clock = transport === "same_device" ? session.device.clock : "host";
  try {
    await using pool = transport === "workers"
      ? await CollectiveRanks.open({ ranks, capacity })
      : undefined;
    const measure = async (c: ProgramCase): Promise<readonly LoopResult[]> =>
      pool
        ? await pool.measure({ ...c, count: elementsOf(c), inPlace: false, rule })
        : [await measureSameDevice(c, session, rule)];
    const programs = distinct([
      ...runnable.filter(isProgram),
      ...linkCases,
      ...runnable.flatMap(candidates),
    ]);
    const picks = new Map<CollectiveCase, AlgorithmName>();
    const programOf = (c: CollectiveCase): AlgorithmName =>
      isProgram(c) ? c.algorithm : picks.get(c) ?? fastest(c, session);
    for (let round = 0; round < ROUNDS; round++) {
      const auto = round === 0 ? [] : runnable.filter((c) => c.algorithm === "auto");
      for (const c of shuffled([...programs, ...auto], config.seed + round)) {
        if (signal.aborted) return undefined;
        const ran = programOf(c);
        picks.set(c, ran);
        const own = parts.get(label(c)) ?? [];
        parts.set(label(c), [...own, [...await measure({ ...c, algorithm: ran })]]);
      }
      noteTimes(session, programs, parts);
    }
    for (const c of runnable) {
      const overlapPct = pool && isLargest(c, runnable)
        ? await measureOverlap(session, pool, {
          case: { ...c, algorithm: programOf(c) },
          rule,
        })
        : undefined;
      results.set(
        c,
        resultOf(merged(parts.get(label(c))!), { ran: programOf(c), clock, overlapPct }),
      );
    }
    const fit = linkCases.length >= 2
      ? fitLink(linkCases.map((c) => ({
        bytes: 4 * elementsOf(c),
        timesUs: slowest(merged(parts.get(label(c))!)),
      })))
      : undefined;
    return { results, link: fit };
  } catch (error) {
    if (error instanceof DeviceError && error.kind === "DeviceLost") throw error;
    const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
    session.device.errors.forget();
    for (const c of runnable) {
      if (!results.has(c)) results.set(c, { status: "failed", reason, ranks: [], clock: "host" });
    }
    return { results, link: undefined };
  }
}

function resultOf(
  ranks: readonly LoopResult[],
  about: Required<Pick<CollectiveResult, "ran" | "clock">> & Pick<CollectiveResult, "overlapPct">,
): CollectiveResult {
  const wrong = ranks.reduce((sum, rank) => sum + rank.wrongElements, 0);
  return {
    status: wrong > 0 ? "wrong" : "ok",
    reason: wrong > 0 ? `${wrong} wrong elements` : "",
    ranks,
    ...about,
  };
}

/** Why the memories of a case cannot be had. */
function roomProblem(c: CollectiveCase, { device }: Session): string | undefined {
  const elements = elementsOf(c);
  if (c.transport === "same_device") {
    const bytes = arenaBytes(c.ranks, elements);
    return bytes > device.maxStorageBufferBindingSize
      ? `its ranks' memories take ${bytes} bytes; the adapter binds ${device.maxStorageBufferBindingSize}`
      : undefined;
  }
  const bytes = 3 * c.ranks * 4 * elements;
  const { available } = Deno.systemMemoryInfo();
  const most = Math.min(2 ** 32 - 2 ** 24, available / 2);
  return bytes > most
    ? `its ranks share ${bytes} bytes; ${Math.floor(most)} can be had`
    : undefined;
}

function isProgram(c: CollectiveCase): c is ProgramCase {
  return c.algorithm !== "auto" && c.algorithm !== "native";
}

/** The step programs that auto chooses from: those whose sums are exact. */
function candidates(c: CollectiveCase): readonly ProgramCase[] {
  if (c.algorithm !== "auto") return [];
  return Object.entries(COLLECTIVES[c.op].algorithms)
    .filter(([, algorithm]) => algorithm.errorBound === undefined)
    .map(([name]) => ({ ...c, algorithm: name as AlgorithmName }))
    .filter((candidate) => caseProblem(candidate) === undefined);
}

function distinct(cases: readonly ProgramCase[]): readonly ProgramCase[] {
  return [...new Map(cases.map((c) => [collectiveLabel(c), c])).values()];
}

function tuningKey({ op, transport, memory, ranks }: CollectiveCase): string {
  return `${op} ${transport} ${memory} ${ranks}`;
}

/** The exact program that was fastest at the nearest size. */
function fastest(c: CollectiveCase, { tuning }: Session): AlgorithmName {
  const best = tuning.bestAlgorithm(tuningKey(c), c.messageBytes);
  return best as AlgorithmName | undefined ?? candidates(c)[0]!.algorithm;
}

/** Keeps the median time of each exact program at each size. */
function noteTimes(
  { tuning }: Session,
  programs: readonly ProgramCase[],
  parts: ReadonlyMap<string, readonly (readonly LoopResult[])[]>,
): void {
  const exact = programs.filter((c) => !COLLECTIVES[c.op].algorithms[c.algorithm]!.errorBound);
  for (const same of Map.groupBy(exact, (c) => `${tuningKey(c)} ${c.messageBytes}`).values()) {
    const timesUs = Object.fromEntries(same.map((c) => {
      const runs = parts.get(collectiveLabel(c))!;
      return [c.algorithm, median(runs.flatMap((ranks) => slowest(ranks)))];
    }));
    const { messageBytes } = same[0]!;
    tuning.noteAlgorithms(tuningKey(same[0]!), { messageBytes, timesUs });
  }
}

/** Whether a case is the one whose overlap is measured: that of the largest size. */
function isLargest(c: CollectiveCase, cases: readonly CollectiveCase[]): boolean {
  return COLLECTIVES[c.op].measures === "overlap" && c.memory === "host" &&
    c.messageBytes === Math.max(...cases.map(({ messageBytes }) => messageBytes));
}

/** The rounds of a case as one, rank by rank. */
function merged(rounds: readonly (readonly LoopResult[])[]): readonly LoopResult[] {
  return rounds[0]!.map((_, rank) => {
    const own = rounds.map((ranks) => ranks[rank]!);
    return {
      timesUs: own.flatMap((r) => r.timesUs),
      readUs: own.flatMap((r) => r.readUs),
      exchangeUs: own.flatMap((r) => r.exchangeUs),
      writeUs: own.flatMap((r) => r.writeUs),
      wrongElements: own.reduce((sum, r) => sum + r.wrongElements, 0),
      maxAbsError: Math.max(...own.map((r) => r.maxAbsError)),
      tolerance: own[0]!.tolerance,
      stopReason: own.at(-1)!.stopReason,
    };
  });
}

/** One round's share of a stop rule. */
function partOf(rule: StopCriteria): StopCriteria {
  return {
    ...rule,
    minTimeMs: rule.minTimeMs / ROUNDS,
    minSamples: Math.ceil(rule.minSamples / ROUNDS),
    timeoutS: rule.timeoutS / ROUNDS,
  };
}
