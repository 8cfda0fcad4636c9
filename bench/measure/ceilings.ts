import type { Device } from "../../device/device.ts";
import type { Program } from "../../device/program.ts";
import type { Cost } from "../../kernels/kernel.ts";
import ceilingWgsl from "./ceiling.wgsl" with { type: "text" };
import { type Timer, timeUs } from "./timer.ts";

/** What the adapter can do at best, measured in this session. */
export interface Ceilings {
  /** Bytes read plus written a second by the fastest copy, in 1e9. */
  readonly copyGbytesPerS: number;
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

function program(invocations: number, params: readonly number[], groups: number): Program {
  return {
    name: "bench/ceiling",
    wgsl: [{ file: "bench/measure/ceiling.wgsl", text: ceilingWgsl }],
    bindings: [
      { name: "from_", access: "read" },
      { name: "to", access: "read_write" },
      { name: "params", access: "uniform" },
    ],
    constants: { WORKGROUP_SIZE: invocations },
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

/** Measures both ceilings, the best of several sizes and widths of workgroup. */
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
  let copyGbytesPerS = 0;
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
    const us = await fastestUs(program(invocations, [0, rounds, 0], groups));
    multiplyAddGflops = Math.max(
      multiplyAddGflops,
      groups * invocations * rounds * FLOPS_PER_ROUND / us / 1e3,
    );
  }
  return { copyGbytesPerS, multiplyAddGflops };
}

/** The least time of work of this cost: the slower of the two limits. */
export function ceilingUs(cost: Cost, ceilings: Ceilings): number {
  const computeUs = cost.flops / ceilings.multiplyAddGflops / 1e3;
  const memoryUs = (cost.bytesRead + cost.bytesWritten) / ceilings.copyGbytesPerS / 1e3;
  return Math.max(computeUs, memoryUs);
}

/** The share of its ceiling that work of this cost reached in a time. */
export function ceilingPct(cost: Cost, timeUs: number, ceilings: Ceilings): number {
  return 100 * ceilingUs(cost, ceilings) / timeUs;
}
