/** Ways in which a router picks a replica for a request: see {@linkcode Router.route}. */
export const ROUTER_POLICIES = ["least_loaded", "round_robin", "least_tokens"] as const;

/** One of {@linkcode ROUTER_POLICIES}. */
export type RouterPolicy = typeof ROUTER_POLICIES[number];

/** What a replica has to do. */
export interface ReplicaLoad {
  /** Requests that wait. */
  readonly waiting: number;
  /** Requests that run. */
  readonly running: number;
  /** Tokens that its requests still have to be computed or generated. */
  readonly tokens: number;
}

/** What waits weighs as much as this many that run. */
const WAITING_WEIGHT = 4;

/** Spreads requests over data parallel replicas. */
export class Router {
  readonly #policy: RouterPolicy;
  readonly #loads: { waiting: number; running: number; tokens: number }[];
  #next = 0;

  /** A router over idle replicas. */
  constructor(policy: RouterPolicy, replicas: number) {
    this.#policy = policy;
    this.#loads = Array.from({ length: replicas }, () => ({ waiting: 0, running: 0, tokens: 0 }));
  }

  /** Takes in what a replica says of itself; it replaces what was counted here. */
  update(replica: number, load: ReplicaLoad): void {
    this.#loads[replica] = { ...load };
  }

  /**
   * The index of the replica for a request of `tokens` tokens, prompt and output together. least_loaded:
   * the least 4 * waiting + running requests, the rule of vLLM's data parallel router of 2025 (that of
   * 2026 weighs KV cache use); least_tokens: the fewest outstanding tokens; the first of equals. What a
   * replica is given counts at once, so that a burst spreads.
   */
  route(tokens: number): number {
    const replica = this.#policy === "round_robin"
      ? this.#next++ % this.#loads.length
      : this.#least();
    const load = this.#loads[replica]!;
    load.waiting++;
    load.tokens += tokens;
    return replica;
  }

  #least(): number {
    const scores = this.#loads.map(({ waiting, running, tokens }) =>
      this.#policy === "least_tokens" ? tokens : WAITING_WEIGHT * waiting + running
    );
    return scores.indexOf(Math.min(...scores));
  }
}
