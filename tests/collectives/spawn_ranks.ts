import type { RankError } from "../../collectives/rank_error.ts";
import type { Communicator } from "../../collectives/transports/communicator.ts";
import {
  type CommunicatorState,
  createCommunicatorState,
} from "../../collectives/transports/communicator_state.ts";
import {
  createP2PChannelState,
  type P2PChannel,
  type P2PChannelState,
} from "../../collectives/transports/p2p_channel.ts";
import { createWatchdogState } from "../../collectives/transports/watchdog.ts";
import { LEAVE_MS, type RankAnswer, WorkerRanks } from "../../runtime/worker_ranks.ts";

/** What a spawned rank has: its group, and channels to the next rank and from the one before. */
export interface SpawnedRank {
  readonly communicator: Communicator;
  readonly next: P2PChannel;
  readonly previous: P2PChannel;
}

/** What a spawned rank is told. */
export type SpawnedMessage =
  | {
    readonly kind: "join";
    readonly state: CommunicatorState;
    readonly rank: number;
    readonly next: P2PChannelState;
    readonly previous: P2PChannelState;
  }
  | { readonly kind: "run"; readonly source: string }
  | { readonly kind: "leave" };

/** What became of spawned ranks, by rank: what each gave, or the words of the error that it met. */
export interface Spawned<T> {
  readonly results: readonly (T | string | undefined)[];
  /** What their owner says, where a rank was at fault. */
  readonly failure: unknown;
}

/**
 * Runs a function on ranks of one process, each in a Worker, all in one communicator. The function goes
 * there as text: it may use nothing but its argument and globals. Rank i is global rank `10 + i`.
 */
export async function spawnRanks<T>(
  ranks: number,
  fn: (rank: SpawnedRank) => T | Promise<T>,
  { capacity = 16, timeoutMs = 20_000 }: {
    readonly capacity?: number;
    readonly timeoutMs?: number;
  } = {},
): Promise<Spawned<T>> {
  const globalRanks = Array.from({ length: ranks }, (_, rank) => 10 + rank);
  const watchdog = createWatchdogState(globalRanks, timeoutMs);
  const state = createCommunicatorState({ globalRanks, capacity, watchdog });
  const channels = globalRanks.map((sender, rank) =>
    createP2PChannelState({
      sender,
      receiver: globalRanks[(rank + 1) % ranks]!,
      slots: 2,
      capacity,
      watchdog,
    })
  );
  const script = new URL("./spawned_rank.ts", import.meta.url);
  const workers = globalRanks.map(() => new Worker(script, { type: "module" }));
  await using owner = new WorkerRanks<SpawnedMessage>(workers, {
    globalRanks,
    watchdog,
    leave: { kind: "leave" },
    deadlinesMs: { join: 60_000, run: 60_000, leave: LEAVE_MS },
  });
  // A rank that is still being started keeps nobody waiting.
  await owner.askAll((rank) => ({
    kind: "join",
    state,
    rank,
    next: channels[rank]!,
    previous: channels.at(rank - 1)!,
  }));
  const results = new Array<T | string | undefined>(ranks).fill(undefined);
  const answered = workers.map((worker, rank) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    worker.addEventListener("message", ({ data }: MessageEvent<RankAnswer>) => {
      results[rank] ??= data.kind === "done" ? data.result as T : data.message;
      resolve();
    });
    return promise;
  });
  let failure: unknown;
  try {
    await owner.askAll(() => ({ kind: "run", source: String(fn) }));
  } catch (error) {
    failure = error;
    // The peers of the rank at fault meet the same error, each in its own time.
    const { fault } = error as RankError;
    const peers = answered.filter((_, rank) => globalRanks[rank] !== fault.globalRank);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    await Promise.race([Promise.all(peers), late.promise]);
    clearTimeout(timer);
  }
  return { results, failure };
}
