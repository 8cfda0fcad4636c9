import { unsupported } from "../../../collectives/collective.ts";
import {
  ALGORITHM_NAMES,
  type AlgorithmName,
  type CollectiveName,
  COLLECTIVES,
} from "../../../collectives/registry.ts";
import { hasSumsOnly } from "../../../collectives/step_program.ts";
import type { Config } from "../../../config/config.ts";
import { parseMessageSizes } from "../../../config/message_sizes.ts";
import { type CollectiveKey, label } from "../../../records/rows/row.ts";
import { MAX_EXACT_RANKS } from "./operand_patterns.ts";

/** Ranks that are set up once and measure many cases. */
export interface RankGroup {
  readonly transport: "workers" | "same_device" | "mpi";
  readonly memory: "host" | "device";
  readonly ranks: number;
}

/** One collective at one message size. */
export interface CollectiveCase extends RankGroup {
  readonly op: CollectiveName;
  readonly algorithm: AlgorithmName | "auto" | "native";
  readonly messageBytes: number;
}

/** Elements of a case's array: as many whole groups as the message holds. */
export function elementsOf({ op, messageBytes }: CollectiveCase): number {
  const elements = messageBytes / 4;
  return elements - elements % (COLLECTIVES[op].elementMultiple ?? 1);
}

/** Why a case cannot be run, or undefined. */
export function caseProblem(c: CollectiveCase): string | undefined {
  if (c.transport === "mpi" || c.algorithm === "native") return "this version has no MPI transport";
  if (c.ranks > MAX_EXACT_RANKS) {
    return `operands are exact for up to ${MAX_EXACT_RANKS} ranks (MAX_EXACT_RANKS), not ${c.ranks}`;
  }
  if (c.transport === "same_device" && !sumsOnly(c)) {
    return `${c.algorithm} ${c.op} needs more than sums, which is all that same_device has`;
  }
  return c.algorithm === "auto" ? undefined : unsupported(COLLECTIVES[c.op], c.algorithm, c.ranks);
}

/** Whether a case's program, or any that auto may choose, is made of sums. */
function sumsOnly({ op, algorithm, ranks }: CollectiveCase): boolean {
  const { algorithms } = COLLECTIVES[op];
  const programs = algorithm === "auto"
    ? Object.values(algorithms)
    : [algorithms[algorithm]].filter((own) => own !== undefined);
  return programs.some(({ program }) => hasSumsOnly(program, ranks));
}

/**
 * Every case of a configuration's collectives suite that a filter leaves. `all` stands for what can be
 * run; what is named and cannot be run is a case too, and becomes a row that says why.
 */
export function collectiveCases(
  { collectives }: Config,
  filter?: RegExp,
): readonly CollectiveCase[] {
  if (!collectives) return [];
  const cases = allCases(collectives);
  const asked = collectives.algorithms === "all"
    ? cases.filter((c) => caseProblem(c) === undefined)
    : cases;
  return asked.filter((c) => !filter || filter.test(collectiveLabel(c)));
}

/** Why cases of a configuration cannot be run, each reason once. */
export function collectiveProblems({ collectives }: Config): readonly string[] {
  const problems = collectives ? allCases(collectives).map(caseProblem) : [];
  return [...new Set(problems)].filter((why) => why !== undefined);
}

function allCases(
  { ops, ranks, sizes, algorithms, transports, memory }: NonNullable<Config["collectives"]>,
): readonly CollectiveCase[] {
  const groups: RankGroup[] =
    (transports === "all" ? ["workers", "same_device"] as const : transports)
      .flatMap((transport) =>
        // On one device there is no other memory.
        (transport === "same_device" ? ["device"] as const : memory).flatMap((where) =>
          ranks.map((count) => ({ transport, memory: where, ranks: count }))
        )
      );
  const names = algorithms === "all" ? [...ALGORITHM_NAMES, "auto"] as const : algorithms;
  return groups.flatMap((group) =>
    ops.flatMap((op) =>
      parseMessageSizes(sizes).flatMap((messageBytes) =>
        names.map((algorithm) => ({ ...group, op, algorithm, messageBytes }))
      )
    )
  );
}

/** The independent variables of a case's row. */
export function collectiveKey(c: CollectiveCase): CollectiveKey {
  return {
    suite: "collectives",
    model: "", // no model decides anything here
    dtype: "float32",
    op: c.op,
    algorithm: c.algorithm,
    transport: c.transport,
    memory: c.memory,
    logical_ranks: c.ranks,
    message_bytes: c.messageBytes,
  };
}

/** A case as `--filter` and progress see it. */
export function collectiveLabel(c: CollectiveCase): string {
  return label("collectives", collectiveKey(c));
}
