import { EngineCore, type Executor } from "../schedules/engine_core.ts";
import { type Request, Scheduler, type SchedulerLimits } from "../schedules/scheduler.ts";
import type { StepResult } from "../runtime/rank.ts";

/** What serving a list of requests gave and took. */
export interface Served {
  /** Generated tokens of each request, by its place in the list. */
  readonly tokenIds: readonly (readonly number[])[];
  readonly wallMs: number;
  /** Time to the first token of each request. */
  readonly ttftMs: readonly number[];
  /** (last - first token) / (tokens - 1) of each request with more than one token. */
  readonly tpotMs: readonly number[];
  readonly steps: readonly StepResult[];
  readonly maxInFlight: number;
}

/** Serves requests, all there from the start, until the last token. */
export async function serve(
  executor: Executor<StepResult>,
  requests: readonly Request[],
  limits: SchedulerLimits,
): Promise<Served> {
  const scheduler = new Scheduler(limits);
  for (const request of requests) scheduler.add(request);
  const engine = new EngineCore(scheduler, executor);
  const tokenIds = new Map(requests.map(({ id }) => [id, [] as number[]]));
  const firstMs = new Map<number, number>();
  const tpotMs: number[] = [];
  const steps: StepResult[] = [];
  const start = performance.now();
  while (engine.isBusy) {
    const out = await engine.step();
    if (!out) continue;
    const now = performance.now() - start;
    if (out.batch.parts.length > 0) steps.push(out.result);
    for (const { requestId, tokenId, isLast } of out.newTokens) {
      const own = tokenIds.get(requestId)!;
      own.push(tokenId);
      if (own.length === 1) firstMs.set(requestId, now);
      else if (isLast) tpotMs.push((now - firstMs.get(requestId)!) / (own.length - 1));
    }
  }
  return {
    tokenIds: requests.map(({ id }) => tokenIds.get(id)!),
    wallMs: performance.now() - start,
    ttftMs: requests.map(({ id }) => firstMs.get(id)!),
    tpotMs,
    steps,
    maxInFlight: engine.maxInFlight,
  };
}
