import {
  type AlgorithmName,
  type CollectiveName,
  COLLECTIVES,
} from "../../../collectives/registry.ts";
import type { Config } from "../../../config/config.ts";
import { parseMessageSizes } from "../../../config/message_sizes.ts";
import { arenaBytes } from "../../../runtime/same_device.ts";
import { fitLink, type LinkFit } from "../../../statistics/link_fit.ts";
import { shuffled } from "../../../statistics/shuffled.ts";
import { median } from "../../../statistics/summary.ts";
import type { Session } from "../../measure/session.ts";
import { type StopCriteria, StoppingRule } from "../../measure/stopping_rule.ts";
import { failureReason, stopCriteria } from "../suite_run.ts";
import { CaseRounds } from "./case_rounds.ts";
import {
  caseProblem,
  type CollectiveCase,
  collectiveLabel,
  elementsOf,
} from "./collective_cases.ts";
import type { LoopResult } from "./collective_loop.ts";
import { CollectiveRanks } from "./collective_ranks.ts";
import type { CollectiveResult } from "./collective_row.ts";
import { measureOverlap } from "./overlap.ts";
import { measureSameDevice } from "./same_device_loop.ts";

/** A case whose algorithm is a step program. */
type ProgramCase = CollectiveCase & { readonly algorithm: AlgorithmName };

/** Iterations that are not timed, in the first turn of a case and in later ones. */
const WARM_UPS = { first: 5, later: 2 };
/** `auto` chooses after so many rounds of the others. */
const ROUNDS_BEFORE_AUTO = 2;

/** What is measured on one set of ranks, and who is told. */
export interface GroupWork {
  /** A case of the group, which all others share ranks, transport and memory with. */
  readonly group: CollectiveCase;
  /** Those that are wanted; where there is none, only the link is. */
  readonly cases: readonly CollectiveCase[];
  readonly signal: AbortSignal;
  /** Gets each case's result when it needs no more turns, and at once what cannot be run. */
  readonly onResult: (c: CollectiveCase, result: CollectiveResult) => Promise<void>;
}

/** What was asked for and can be run, why the rest cannot, and what the link is fitted to. */
interface GroupCases {
  readonly runnable: readonly CollectiveCase[];
  readonly skipped: ReadonlyMap<CollectiveCase, string>;
  readonly link: readonly ProgramCase[];
}

/** The rounds of each case by label: cases that run the same are measured once. */
type RoundsByLabel = ReadonlyMap<string, CaseRounds>;

/** How turns are taken, and who gets a case that needs no more of them, with the program that it ran. */
interface GroupTurns {
  readonly measure: (c: ProgramCase, warmUps: number) => Promise<readonly LoopResult[]>;
  readonly onDone: (c: CollectiveCase, rounds: CaseRounds, ran: AlgorithmName) => Promise<void>;
  readonly signal: AbortSignal;
  readonly seed: number;
  readonly criteria: StopCriteria;
}

/** Measures cases on one set of ranks; the fit of their link, where it has one and no interrupt came first. */
export async function measureGroup(
  config: Config,
  session: Session,
  { group: first, cases, signal, onResult }: GroupWork,
): Promise<LinkFit | undefined> {
  const problem = (c: CollectiveCase) => caseProblem(c) ?? roomProblem(c, session);
  const group = groupCases(config, { group: first, cases }, problem);
  for (const [c, reason] of group.skipped) await onResult(c, noResult("skipped", reason));
  if (group.runnable.length + group.link.length === 0) return undefined;
  const criteria = stopCriteria(config);
  const turn = StoppingRule.turn(criteria);
  const missing = new Set(group.runnable);
  try {
    const capacity = Math.max(...[...group.runnable, ...group.link].map(elementsOf));
    await using pool = first.transport === "workers"
      ? await session.time.ranks(() =>
        CollectiveRanks.open({ ranks: first.ranks, capacity, signal })
      )
      : undefined;
    const byLabel = await measureRounds(group, session, {
      measure: async (c, warmUps) =>
        pool
          ? await session.time.ranks(() =>
            pool.measure({ ...c, count: elementsOf(c), inPlace: false, turn, warmUps })
          )
          : [await measureSameDevice(c, session, { turn, warmUps })],
      onDone: async (c, rounds, ran) => {
        const overlap = pool && isLargest(c, group.runnable)
          ? await session.time.ranks(() => measureOverlap(session, pool, { ...c, algorithm: ran }))
          : undefined;
        const clock = pool ? "host" : session.device.clock;
        missing.delete(c);
        await onResult(c, resultOf(rounds, { ran, clock, overlap }));
      },
      signal,
      seed: config.seed,
      criteria,
    });
    if (!byLabel) return undefined;
    const points = group.link.map((c) => ({
      bytes: 4 * elementsOf(c),
      roundsUs: byLabel.get(collectiveLabel(c))!.timesUs,
    }));
    return points.length >= 2 ? fitLink(points) : undefined;
  } catch (error) {
    if (signal.aborted) return undefined; // what was cut off has no row
    const reason = failureReason(session.device, error);
    for (const c of missing) await onResult(c, noResult("failed", reason));
    return undefined;
  }
}

/** Which cases of a group are run; its link is measured, whether its rows were asked for or not. */
function groupCases(
  config: Config,
  { group, cases }: Pick<GroupWork, "group" | "cases">,
  problem: (c: CollectiveCase) => string | undefined,
): GroupCases {
  const skipped = new Map(cases.flatMap((c) => {
    const reason = problem(c);
    return reason === undefined ? [] : [[c, reason] as const];
  }));
  const runnable = cases.filter((c) => !skipped.has(c));
  const isLink = group.transport === "workers" && group.ranks > 1;
  const isAllSkipped = skipped.size > 0 && runnable.length === 0;
  if (!isLink || isAllSkipped) return { runnable, link: [], skipped };
  const linked = Object.values(COLLECTIVES).find(({ measures }) => measures === "link")!;
  const link = parseMessageSizes(config.collectives!.sizes).map((messageBytes): ProgramCase => ({
    ...group,
    op: linked.name as CollectiveName,
    algorithm: Object.keys(linked.algorithms)[0] as AlgorithmName,
    messageBytes,
  }));
  const able = link.filter((c) => problem(c) === undefined);
  // A line takes two sizes; for fewer nothing is measured that no row was asked for.
  return { runnable, link: able.length < 2 && runnable.length === 0 ? [] : able, skipped };
}

/**
 * Measures every program of a group in turns, `auto` when others have had a few, until each one's stop
 * rule holds; undefined where interrupted.
 */
async function measureRounds(
  { runnable, link }: GroupCases,
  session: Session,
  { measure, onDone, signal, seed, criteria }: GroupTurns,
): Promise<RoundsByLabel | undefined> {
  const ran = new Map<CollectiveCase, AlgorithmName>();
  const programs = distinct([
    ...runnable.filter(isProgram),
    ...link,
    ...runnable.flatMap(candidates),
  ]);
  const auto = distinct(runnable.filter((c) => !isProgram(c)));
  const byLabel = new Map(
    [...programs, ...auto].map((c) => [collectiveLabel(c), new CaseRounds(criteria)]),
  );
  const roundsOf = (c: CollectiveCase) => byLabel.get(collectiveLabel(c))!;
  const asked = new Map(runnable.map((c) => [collectiveLabel(c), c]));
  for (let round = 0;; round++) {
    const turns = [...programs, ...(round < ROUNDS_BEFORE_AUTO ? [] : auto)]
      .filter((c) => roundsOf(c).stopReason === undefined);
    if (turns.length === 0 && round >= ROUNDS_BEFORE_AUTO) return byLabel;
    for (const c of shuffled(turns, seed + round)) {
      if (signal.aborted) return undefined;
      const algorithm = isProgram(c) ? c.algorithm : ran.get(c) ?? fastest(c, session);
      ran.set(c, algorithm);
      const rounds = roundsOf(c);
      const warmUps = rounds.timesUs.length === 0 ? WARM_UPS.first : WARM_UPS.later;
      const begun = performance.now();
      const ranks = await measure({ ...c, algorithm }, warmUps);
      rounds.endTurn(ranks, (performance.now() - begun) * 1000);
      const wanted = asked.get(collectiveLabel(c));
      if (rounds.stopReason !== undefined && wanted) await onDone(wanted, rounds, algorithm);
    }
    noteTimes(session, programs, byLabel);
  }
}

function noResult(status: "skipped" | "failed", reason: string): CollectiveResult {
  return { status, reason, ranks: [], clock: "host" };
}

function resultOf(
  { ranks, rounds, stopReason }: CaseRounds,
  about: Required<Pick<CollectiveResult, "ran" | "clock">> & Pick<CollectiveResult, "overlap">,
): CollectiveResult {
  const wrong = ranks.reduce((sum, rank) => sum + rank.wrongElements, 0);
  return {
    status: wrong > 0 ? "wrong" : "ok",
    reason: wrong > 0 ? `${wrong} wrong elements` : "",
    ranks,
    rounds,
    stopReason,
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

function distinct<C extends CollectiveCase>(cases: readonly C[]): readonly C[] {
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
  byLabel: RoundsByLabel,
): void {
  const exact = programs.filter((c) => !COLLECTIVES[c.op].algorithms[c.algorithm]!.errorBound);
  for (const same of Map.groupBy(exact, (c) => `${tuningKey(c)} ${c.messageBytes}`).values()) {
    const timesUs = Object.fromEntries(same.map((c) => {
      return [c.algorithm, median(byLabel.get(collectiveLabel(c))!.timesUs.flat())];
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
