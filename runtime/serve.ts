import type { BatchResult, Executor, StepOutput } from "../schedules/engine_core.ts";
import { SCHEDULES } from "../schedules/registry.ts";
import type { Schedule } from "../schedules/schedule.ts";
import { Router, type RouterPolicy } from "../schedules/router.ts";
import { type Request, Scheduler, type SchedulerLimits } from "../schedules/scheduler.ts";
import { sleep } from "./sleep.ts";

/** A request and when it comes, in ms from the start. */
export interface TimedRequest extends Request {
  readonly arrivalMs: number;
}

/** What is served by whom, and how. */
export interface ServeOptions {
  readonly limits: SchedulerLimits;
  readonly router?: RouterPolicy;
  /** vLLM's engine where absent. */
  readonly schedule?: Schedule;
  /** Ends serving between two steps, or the wait for an arrival, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How long requests waited for their tokens, in ms. */
export interface Latencies {
  /** Time to the first token of each request, from its arrival. */
  readonly ttftMs: readonly number[];
  /** (last - first token) / (tokens - 1) of each request with more than one token. */
  readonly tpotMs: readonly number[];
  /** Between each token and the one before of the same request. */
  readonly itlMs: readonly number[];
  /** From each request's arrival to its last token. */
  readonly e2eMs: readonly number[];
}

/** What serving a list of requests gave and took. */
export interface Served<Result extends BatchResult> extends Latencies {
  /** Generated tokens of each request, by its place in the list. */
  readonly tokenIds: readonly (readonly number[])[];
  /** When it began, in ms of this thread's clock. */
  readonly startMs: number;
  readonly wallMs: number;
  /** Batches that were run, by replica, oldest first. */
  readonly batches: readonly (readonly StepOutput<Result>[])[];
}

/**
 * Serves requests on one executor a replica, until the last token.
 * @throws the signal's reason once it is raised.
 */
export async function serve<Result extends BatchResult>(
  executors: readonly Executor<Result>[],
  requests: readonly TimedRequest[],
  { limits, router = "least_loaded", schedule = SCHEDULES.step, signal }: ServeOptions,
): Promise<Served<Result>> {
  const log = new TokenLog();
  const arrivals = new ArrivalQueue(requests, { executors: executors.length, limits, router });
  const start = performance.now();
  const batches = await Promise.all(executors.map(async (executor, replica) => {
    const engine = schedule.engine(arrivals.schedulers[replica]!, executor);
    const outputs: StepOutput<Result>[] = [];
    for (;;) {
      signal?.throwIfAborted();
      arrivals.admit(performance.now() - start);
      if (!engine.isBusy) {
        if (arrivals.isEmpty) break;
        await sleep(arrivals.nextArrivalMs - (performance.now() - start), signal);
        continue;
      }
      const out = await engine.step();
      if (!out) continue;
      log.take(out, performance.now() - start);
      if (out.batch.scheduled.length > 0) outputs.push(out);
    }
    return outputs;
  }));
  const wallMs = performance.now() - start;
  return { ...log.of(requests), startMs: start, wallMs, batches };
}

/** Where requests arrive and are given to replicas. */
class ArrivalQueue {
  readonly schedulers: readonly Scheduler[];
  readonly #router: Router;
  readonly #coming: TimedRequest[];

  constructor(
    requests: readonly TimedRequest[],
    { executors, limits, router }: Required<Pick<ServeOptions, "limits" | "router">> & {
      readonly executors: number;
    },
  ) {
    this.schedulers = Array.from({ length: executors }, () => new Scheduler(limits));
    this.#router = new Router(router, executors);
    this.#coming = [...requests].sort((a, b) => a.arrivalMs - b.arrivalMs);
  }

  get isEmpty(): boolean {
    return this.#coming.length === 0;
  }

  /** Gives what has arrived to the replicas. */
  admit(nowMs: number): void {
    if (this.isEmpty || this.#coming[0]!.arrivalMs > nowMs) return;
    this.schedulers.forEach((scheduler, i) => this.#router.update(i, scheduler.load));
    while (!this.isEmpty && this.#coming[0]!.arrivalMs <= nowMs) {
      const request = this.#coming.shift()!;
      const tokens = request.promptTokenIds.length + request.maxTokens;
      this.schedulers[this.#router.route(tokens)]!.add(request);
    }
  }

  /** When the next request comes; there must be one. */
  get nextArrivalMs(): number {
    return this.#coming[0]!.arrivalMs;
  }
}

/** When which token came. */
class TokenLog {
  readonly #tokenIds = new Map<number, number[]>();
  readonly #timesMs = new Map<number, number[]>();

  take({ newTokens }: StepOutput<BatchResult>, nowMs: number): void {
    for (const { requestId, tokenId } of newTokens) {
      if (!this.#tokenIds.has(requestId)) {
        this.#tokenIds.set(requestId, []);
        this.#timesMs.set(requestId, []);
      }
      this.#tokenIds.get(requestId)!.push(tokenId);
      this.#timesMs.get(requestId)!.push(nowMs);
    }
  }

  of(requests: readonly TimedRequest[]): Latencies & Pick<Served<BatchResult>, "tokenIds"> {
    const all = requests.map(({ id, arrivalMs }) => ({
      arrivalMs,
      timesMs: this.#timesMs.get(id) ?? [],
    }));
    return {
      tokenIds: requests.map(({ id }) => this.#tokenIds.get(id) ?? []),
      ttftMs: all.map(({ arrivalMs, timesMs }) => timesMs[0]! - arrivalMs),
      tpotMs: all.filter(({ timesMs }) => timesMs.length > 1)
        .map(({ timesMs }) => (timesMs.at(-1)! - timesMs[0]!) / (timesMs.length - 1)),
      itlMs: all.flatMap(({ timesMs }) => timesMs.slice(1).map((ms, i) => ms - timesMs[i]!)),
      e2eMs: all.map(({ arrivalMs, timesMs }) => timesMs.at(-1)! - arrivalMs),
    };
  }
}
