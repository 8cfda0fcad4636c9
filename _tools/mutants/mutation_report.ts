import { binomialInterval, type ShareInterval } from "../../statistics/binomial_interval.ts";
import type { Mutant } from "./list_mutants.ts";

/** What became of a mutant, and by which test file. */
export interface Verdict {
  readonly mutant: Mutant;
  readonly outcome: "killed" | "timed out" | "survived" | "invalid";
  /** The test file that found it. */
  readonly by?: string;
  /** Test files that were run. */
  readonly tests: number;
  /** Test files that execute it and were not run, since the others took their time. */
  readonly unasked: number;
  readonly seconds: number;
}

/** How many mutants met which end, and the share that was found. */
export interface MutationScore {
  /** Those that ran out of time among them. */
  readonly killed: number;
  readonly timedOut: number;
  readonly survived: number;
  readonly invalid: number;
  /** Killed of killed and survived, with its 95 % interval; null where there are none. */
  readonly score: ShareInterval | null;
}

/** Counts the verdicts. */
export function mutationScore(verdicts: readonly Verdict[]): MutationScore {
  const count = (outcome: Verdict["outcome"]) =>
    verdicts.filter((verdict) => verdict.outcome === outcome).length;
  const killed = count("killed") + count("timed out");
  const judged = killed + count("survived");
  return {
    killed,
    timedOut: count("timed out"),
    survived: count("survived"),
    invalid: count("invalid"),
    score: judged > 0 ? binomialInterval(killed, judged) : null,
  };
}

/** A mutant on one line: place, kind and change. */
export function mutantLine({ file, line, kind, was, now }: Mutant): string {
  const short = (text: string) => text.replaceAll(/\s+/g, " ").trim();
  return `${file}:${line}  ${kind}: ${short(was)} -> ${short(now) || "nothing"}`;
}

/** The score, and every survivor with what was not asked. */
export function scoreText(verdicts: readonly Verdict[]): string {
  const { killed, timedOut, survived, invalid, score } = mutationScore(verdicts);
  const percent = (share: number) => (100 * share).toFixed(1);
  const survivors = verdicts.filter(({ outcome }) => outcome === "survived");
  const lines = survivors.map(({ mutant, tests, unasked }) => {
    const asked = tests === 0 ? "  (no test executes it)" : "";
    return `  ${mutantLine(mutant)}${unasked > 0 ? `  (${unasked} test files not run)` : asked}`;
  });
  return [
    `killed ${killed} (${timedOut} timed out), survived ${survived}, invalid ${invalid}`,
    score
      ? `score ${percent(score.share)} %, 95 % interval ${percent(score.low)} to ${
        percent(score.high)
      } %`
      : "no score: no mutant was judged",
    ...(survivors.some(({ unasked }) => unasked > 0)
      ? ["a lower bound: not every test was run on every survivor"]
      : []),
    ...(survivors.length > 0 ? ["survivors:", ...lines] : []),
  ].join("\n");
}
