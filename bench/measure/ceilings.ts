import type { Device } from "../../device/device.ts";
import type { Program } from "../../device/program.ts";
import type { Cost } from "../../kernels/kernel.ts";
import ceilingWgsl from "./ceiling.wgsl" with { type: "text" };
import { type Timer, timeUs } from "./timer.ts";

/** What the adapter can do at best, measured in this session. */
export interface Ceilings {
  /** Bytes read plus written a second by the fastest copy, in 1e9. */
  readonly copyGbytesPerS: number;
  /** Bytes a second, in 1e9, read or copied by workgroups that each stay within the nearest cache. */
  readonly cachedGbytesPerS: number;
  /** Multiply-adds from registers count as two operations, in 1e9 a second. */
  readonly multiplyAddGflops: number;
}

const COPY_BYTES = [1 << 18, 1 << 20, 1 << 24, 1 << 26];
/** Widths of workgroup, with the multiply-add rounds and groups that fill an adapter of that kind. */
const WIDTHS = [{ invocations: 8, rounds: 20_000, groups: 64 }, {
  invocations: 256,
  rounds: 500,
  groups: 512,
}];
const CANARY_ROUNDS = 20_000;
const FLOPS_PER_ROUND = 8 * 4 * 2;
const REPEATS = 4;
/** Bytes that a workgroup stays within: a fraction of the smallest first-level caches. */
const CACHED_BYTES = 8192;
/** Passes over a cached range are doubled until they take so long, or are so many. */
const CACHED_US = 2000;
const MAX_CACHED_PASSES = 2 ** 16;

function program(
  invocations: number,
  params: readonly number[],
  groups: number,
  { reads = false } = {},
): Program {
  return {
    name: "bench/ceiling",
    wgsl: [{ file: "bench/measure/ceiling.wgsl", text: ceilingWgsl }],
    bindings: [
      { name: "from_", access: "read" },
      { name: "to", access: "read_write" },
      { name: "params", access: "uniform" },
    ],
    constants: { WORKGROUP_SIZE: invocations, READS: reads ? 1 : 0 },
    params,
    workgroups: [groups, 1, 1],
  };
}

/** A fixed amount of multiply-adds, and copying `bytes` bytes: what the canary times. */
export function canaryPrograms(bytes: number): readonly Program[] {
  const { invocations, groups } = WIDTHS[0]!;
  const vec4s = bytes / 16;
  const each = 64;
  return [
    program(invocations, [0, CANARY_ROUNDS, 0], groups),
    program(invocations, [vec4s, 0, each], Math.ceil(vec4s / invocations / each)),
  ];
}

/** Measures the ceilings, the best of several sizes and widths of workgroup. */
export async function measureCeilings(device: Device, timer: Timer): Promise<Ceilings> {
  const largest = Math.min(COPY_BYTES.at(-1)!, device.maxStorageBufferBindingSize);
  using from_ = device.allocate({ label: "ceiling.from", bytes: largest });
  using to = device.allocate({ label: "ceiling.to", bytes: largest });
  const fastestUs = async (work: Program): Promise<number> => {
    const dispatch = device.bind(work, { from_, to });
    await timer.warmUp([dispatch]);
    let best = Infinity;
    for (let i = 0; i < REPEATS; i++) {
      best = Math.min(best, timeUs(await timer.sample([dispatch])));
    }
    dispatch.params?.destroy();
    return best;
  };
  const cached = async (width: typeof WIDTHS[number], reads: boolean): Promise<number> => {
    const { invocations } = width;
    const each = CACHED_BYTES / 16 / invocations;
    const groups = Math.min(width.groups, Math.floor(largest / CACHED_BYTES));
    for (let passes = 16;; passes *= 4) {
      const us = await fastestUs(
        program(invocations, [each * invocations * groups, 0, each, passes], groups, { reads }),
      );
      const moved = (reads ? 1 : 2) * passes * groups * CACHED_BYTES;
      if (us >= CACHED_US || passes >= MAX_CACHED_PASSES) return moved / us / 1e3;
    }
  };
  let copyGbytesPerS = 0;
  let cachedGbytesPerS = 0;
  let multiplyAddGflops = 0;
  for (const { invocations, rounds, groups } of WIDTHS) {
    for (const bytes of COPY_BYTES.filter((size) => size <= largest)) {
      const vec4s = bytes / 16;
      const each = invocations === 8 ? 64 : 4;
      const us = await fastestUs(
        program(invocations, [vec4s, 0, each], Math.ceil(vec4s / invocations / each)),
      );
      copyGbytesPerS = Math.max(copyGbytesPerS, 2 * bytes / us / 1e3);
    }
    for (const reads of [true, false]) {
      cachedGbytesPerS = Math.max(
        cachedGbytesPerS,
        await cached({ invocations, rounds, groups }, reads),
      );
    }
    const us = await fastestUs(program(invocations, [0, rounds, 0], groups));
    multiplyAddGflops = Math.max(
      multiplyAddGflops,
      groups * invocations * rounds * FLOPS_PER_ROUND / us / 1e3,
    );
  }
  cachedGbytesPerS = Math.max(cachedGbytesPerS, copyGbytesPerS);
  return { copyGbytesPerS, cachedGbytesPerS, multiplyAddGflops };
}

/** The higher of two measurements of each ceiling. */
export function higherCeilings(a: Ceilings, b: Ceilings): Ceilings {
  return {
    copyGbytesPerS: Math.max(a.copyGbytesPerS, b.copyGbytesPerS),
    cachedGbytesPerS: Math.max(a.cachedGbytesPerS, b.cachedGbytesPerS),
    multiplyAddGflops: Math.max(a.multiplyAddGflops, b.multiplyAddGflops),
  };
}

/** What bounds moving memory: the caches where the work may find its operands there, else memory itself. */
type Bound = "memory" | "caches";

/** How fast work may move memory, in 1e9 bytes a second. */
export function boundGbytesPerS(ceilings: Ceilings, bound: Bound): number {
  return bound === "caches" ? ceilings.cachedGbytesPerS : ceilings.copyGbytesPerS;
}

/** The least time in us of work of this cost: the slower of computing and moving memory. */
export function ceilingUs(cost: Cost, ceilings: Ceilings, bound: Bound = "memory"): number {
  const gbytesPerS = boundGbytesPerS(ceilings, bound);
  const computeUs = cost.flops / ceilings.multiplyAddGflops / 1e3;
  const memoryUs = (cost.bytesRead + cost.bytesWritten) / gbytesPerS / 1e3;
  return Math.max(computeUs, memoryUs);
}

/** The least time of work of this cost as a share of the time that it took, in percent. */
export function ceilingPct(
  cost: Cost,
  timeUs: number,
  ceilings: Ceilings,
  bound?: Bound,
): number {
  return 100 * ceilingUs(cost, ceilings, bound) / timeUs;
}
