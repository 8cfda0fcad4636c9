import {
  MEMORIES,
  type Memory,
  type Place,
  type ProgramShape,
  type StepProgram,
} from "../collectives/step_program.ts";
import type { DeviceBuffer } from "../device/buffer.ts";
import type { Device } from "../device/device.ts";
import type { Dispatch } from "../device/dispatch.ts";
import wgsl from "./same_device.wgsl" with { type: "text" };

/** Most sources of a move: the most ranks. */
const MAX_SOURCES = 16;
const MOVE_WORDS = 3 + MAX_SOURCES;
const ELEMENTS_PER_WORKGROUP = 64 * 16;

/** Bytes of the one buffer that holds the memories of logical ranks. */
export function arenaBytes(ranks: number, count: number): number {
  return 4 * ranks * MEMORIES.length * Math.max(1, count);
}

/**
 * Logical ranks on one device: their memories lie in one buffer, and a step's moves are dispatches. No
 * byte leaves the device, so what this measures is no link.
 */
export class SameDevice implements Disposable {
  /** The whole collective, all ranks of it. */
  readonly dispatches: readonly Dispatch[];
  readonly #device: Device;
  readonly #count: number;
  readonly #arena: DeviceBuffer;
  readonly #moves: DeviceBuffer;

  /** Allocates memories of `count` elements and binds a program of sums for all ranks. */
  constructor(device: Device, program: StepProgram, shape: Omit<ProgramShape, "rank">) {
    const { ranks, count } = shape;
    if (ranks > MAX_SOURCES) {
      throw new RangeError(
        `Cannot put ${ranks} ranks on one device: legal are 1 to ${MAX_SOURCES}`,
      );
    }
    this.#device = device;
    this.#count = Math.max(1, count);
    const programs = Array.from({ length: ranks }, (_, rank) => program({ ...shape, rank }));
    const moves = programs[0]!.flatMap((_, step) =>
      programs.flatMap((own, rank) => own[step]!.moves.map((move) => ({ ...move, rank })))
    );
    const words = moves.flatMap(({ rank, to, count, sources, how = "sum" }) => {
      if (how !== "sum") throw new RangeError(`Cannot run a move of kind ${how} on one device`);
      const at = sources.map((source) => this.#word(source.rank, source.memory) + source.start);
      const rest = new Array<number>(MAX_SOURCES - at.length).fill(0);
      return [this.#word(rank, to.memory) + to.start, count, at.length, ...at, ...rest];
    });
    this.#arena = device.allocate({ label: "same_device.arena", bytes: arenaBytes(ranks, count) });
    this.#moves = device.allocate({
      label: "same_device.moves",
      bytes: 4 * Math.max(MOVE_WORDS, words.length),
    });
    device.upload(this.#moves, Uint32Array.from(words));
    this.dispatches = moves.map(({ count }, move) =>
      device.bind({
        name: "collective/same_device",
        wgsl: [{ file: "runtime/same_device.wgsl", text: wgsl }],
        bindings: [
          { name: "moves", access: "read" },
          { name: "arena", access: "read_write" },
          { name: "params", access: "uniform" },
        ],
        constants: {},
        params: [move],
        workgroups: [Math.ceil(count / ELEMENTS_PER_WORKGROUP), 1, 1],
      }, { moves: this.#moves, arena: this.#arena })
    );
  }

  /** Writes elements of a rank's memory. */
  upload({ rank, memory, start }: Place, data: Float32Array): void {
    this.#device.upload(this.#arena, data, 4 * (this.#word(rank, memory) + start));
  }

  /** Reads all memories; `memoryOf` finds one rank's in them. */
  async download(): Promise<Float32Array> {
    return new Float32Array(await this.#device.download(this.#arena));
  }

  /** One of a rank's memories in what `download` gave. */
  memoryOf(all: Float32Array, rank: number, memory: Memory): Float32Array {
    const first = this.#word(rank, memory);
    return all.subarray(first, first + this.#count);
  }

  /** Frees the memories. */
  [Symbol.dispose](): void {
    for (const { params } of this.dispatches) params?.destroy();
    this.#arena.destroy();
    this.#moves.destroy();
  }

  #word(rank: number, memory: Memory): number {
    return (rank * MEMORIES.length + MEMORIES.indexOf(memory)) * this.#count;
  }
}
