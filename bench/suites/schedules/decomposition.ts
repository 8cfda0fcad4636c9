/** Where the time of ranks went, from the spans that they measured. */

import type { Interval, ReplicaTrace } from "../../../runtime/replica_trace.ts";
import { Stopwatch } from "./stopwatch.ts";

/**
 * Time of ranks by what it was spent on, in ms. The first five are each measured: they sum to
 * `ranksTimesWall` where every moment of every rank is in one span or one wait, to less where one is
 * in none, to more where one is in two. `idle` is what of them lies between a rank's steps.
 */
export type Decomposition = Readonly<
  Record<
    "busy" | "fillDrain" | "imbalance" | "transfer" | "hostGap" | "idle" | "ranksTimesWall",
    number
  >
>;

/**
 * Splits the wall time of every rank of a replica. busy: the adapter worked; transfer: collectives and
 * sends, waiting for peers included; host gap: recording, submitting and reading back within a step,
 * and the time when no rank of the replica worked though batches were to come. A rank that idles while
 * another works waits for the pipeline to fill or drain, or is held up by a slower stage: see
 * {@linkcode waits}.
 */
export function decompose(trace: ReplicaTrace, wall: Interval): Decomposition {
  const { ranks } = trace;
  const steps = ranks.flatMap((rank) => rank.steps);
  const spans = steps.flatMap((step) => step.spans);
  const computing = spans.filter(({ kind }) => kind === "compute");
  const busy = sumOf(
    computing,
    (span) => Math.min(lengthOf(span), (span.gpuUs ?? Infinity) / 1000),
  );
  const within = sumOf(computing, lengthOf) - busy;
  const transfer = sumOf(spans, lengthOf) - busy - within;
  const { fillDrain, imbalance, nobody } = waits(trace, wall);
  return {
    busy,
    transfer,
    fillDrain,
    imbalance,
    hostGap: within + nobody,
    idle: fillDrain + imbalance + nobody,
    ranksTimesWall: ranks.length * lengthOf(wall),
  };
}

interface Waits {
  fillDrain: number;
  imbalance: number;
  nobody: number;
}

/**
 * What ranks waited for between their steps, in ms. `nobody` is when no rank of the replica worked. Of
 * the rest, a rank waits for the pipeline
 * - to fill: ahead of a batch that found the pipeline empty;
 * - to drain: behind the last batch, for as long as the stages after it take for that batch;
 * - for batches: the first stage while fewer are in flight than there are stages, and each later stage
 *   for as much of its wait for the same batch as the stage before it waited so.
 * Everything else is imbalance: with stages that take equally long there is none, and m batches over
 * p stages wait (p - 1) / (m + p - 1) of the time, all of it filling and draining.
 */
function waits({ stages, inFlight, ranks }: ReplicaTrace, wall: Interval): Waits {
  const sums: Waits = { fillDrain: 0, imbalance: 0, nobody: 0 };
  const working = ranks.flatMap(({ steps }) => steps);
  const worked = new Stopwatch([working], ([count]) => count! > 0);
  const starved = new Stopwatch(
    [working, inFlight],
    ([count, flights]) => count! > 0 && flights! < stages,
  );
  const lastEnd = Math.max(wall.start, ...inFlight.map(({ end }) => end));
  const isOpening = foundEmpty(inFlight);
  /** Time in which somebody worked; the rest counts as nobody's. */
  const waited = (gap: Interval) => {
    const ms = worked.msWithin(gap);
    sums.nobody += Math.max(0, lengthOf(gap)) - ms;
    return ms;
  };
  for (const sameTpRank of Map.groupBy(ranks, ({ tpRank }) => tpRank).values()) {
    const chain = sameTpRank.toSorted((a, b) => a.stage - b.stage);
    /** How long the stage before waited for each batch because too few were in flight. */
    const late: number[] = [];
    const drain = (stage: number, batch: number, end: number) => {
      const after = sumOf(chain.slice(stage + 1), ({ steps }) => lengthOf(steps[batch]!));
      const ms = waited({ start: chain[stage]!.steps[batch]!.end, end });
      sums.fillDrain += Math.min(ms, after);
      sums.imbalance += Math.max(0, ms - after);
    };
    for (const [stage, { steps }] of chain.entries()) {
      for (const [batch, { start: end }] of steps.entries()) {
        const start = steps[batch - 1]?.end ?? wall.start;
        if (isOpening[batch]) {
          const opened = Math.min(end, Math.max(start, inFlight[batch]!.start));
          if (batch > 0) drain(stage, batch - 1, opened);
          sums.fillDrain += waited({ start: batch > 0 ? opened : start, end });
          continue;
        }
        const ms = waited({ start, end });
        const few = stage === 0 ? starved.msWithin({ start, end }) : Math.min(ms, late[batch]!);
        late[batch] = few;
        sums.fillDrain += few;
        sums.imbalance += ms - few;
      }
      if (steps.length > 0) drain(stage, steps.length - 1, lastEnd);
    }
  }
  // Other replicas still serve.
  sums.fillDrain += ranks.length * (wall.end - lastEnd);
  return sums;
}

/** Whether each batch was launched when all before it had ended. */
function foundEmpty(inFlight: readonly Interval[]): readonly boolean[] {
  let latest = -Infinity;
  return inFlight.map(({ start, end }) => {
    const isEmpty = latest <= start;
    latest = Math.max(latest, end);
    return isEmpty;
  });
}

function lengthOf({ start, end }: Interval): number {
  return end - start;
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
