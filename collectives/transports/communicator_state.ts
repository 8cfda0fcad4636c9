import { type CommunicatorState, shareMemory, spinsFor } from "./communicator.ts";

/** What ranks are to share. */
export interface CommunicatorOptions {
  readonly ranks: number;
  /** Elements that each of a rank's memories can hold. */
  readonly capacity: number;
  /** Sums in WASM SIMD, or in plain TypeScript; wasm where absent. */
  readonly sums?: "wasm" | "plain" | undefined;
  /** How long ranks wait for each other, in ms. */
  readonly timeoutMs: number;
  /** Ranks of this process in all: as many as there are, where absent. */
  readonly ranksInAll?: number;
  /** What errors call the ranks; their places where absent. */
  readonly numbers?: readonly number[];
}

/** Makes what ranks of a group share; needs read permission for this program's own files. */
export function createCommunicatorState(options: CommunicatorOptions): CommunicatorState {
  const { ranks, capacity, sums = "wasm", timeoutMs, ranksInAll = ranks, numbers } = options;
  const binary = new URL("../reduce.wasm", import.meta.url);
  return {
    memory: shareMemory(ranks, capacity),
    reduce: sums === "wasm" ? new WebAssembly.Module(Deno.readFileSync(binary)) : undefined,
    ranks,
    capacity,
    timeoutMs,
    spins: spinsFor(ranksInAll, navigator.hardwareConcurrency),
    ...(numbers ? { numbers } : {}),
  };
}
