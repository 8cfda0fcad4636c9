import type { Device } from "../../device/device.ts";
import { shaderText } from "../../device/program.ts";
import type { Operation, OperationVariant } from "../../kernels/operation.ts";
import { shortHash } from "../../records/files/short_hash.ts";
import { type Timer, timeUs } from "./timer.ts";
import type { TuningStore } from "./tuning_store.ts";
import { Workload } from "./workload.ts";

const ROUNDS = 3;
/** Where the best candidate takes longer than this, the naive one is not tried and one round will do. */
const LONG_US = 100_000;
/** A candidate whose first run is this many times the best so far is not repeated. */
const HOPELESS = 8;

/** Chooses variants of kernels by measuring them, once for each class of shapes. */
export class Tuner {
  readonly #device: Device;
  readonly #timer: Timer;
  readonly #store: TuningStore;

  /** A tuner on a device; what it finds it notes in the store. */
  constructor(device: Device, timer: Timer, store: TuningStore) {
    this.#device = device;
    this.#timer = timer;
    this.#store = store;
  }

  /**
   * The fastest variant of an operation, measured now if its class of shapes or a shader is new.
   * @throws {RangeError} where no variant supports the shape.
   */
  async best(operation: Operation): Promise<OperationVariant> {
    const candidates = operation.variants.filter((variant) => variant.unsupported === undefined);
    const shaders = Object.fromEntries(
      candidates.map(({ name, program }) => [name, shortHash(shaderText(program()))]),
    );
    const known = this.#store.bestVariant(operation.shapeClass, shaders);
    const chosen = candidates.find((variant) => variant.name === known);
    if (chosen) return chosen;
    const only = candidates[0];
    if (!only) {
      throw new RangeError(`Cannot run "${operation.kernel}": no variant supports its shape`);
    }
    if (candidates.length === 1) return only;
    const timesUs = await this.#tryAll(operation, candidates);
    const best = this.#store.noteVariants(operation.shapeClass, { timesUs, shaders });
    return candidates.find((variant) => variant.name === best)!;
  }

  async #tryAll(
    operation: Operation,
    candidates: readonly OperationVariant[],
  ): Promise<Record<string, number>> {
    using workload = new Workload(this.#device, [operation], { seed: 0 });
    const times: Record<string, number> = {};
    // The naive variant comes last, so that it is known to be hopeless after its first run.
    const order = [...candidates.slice(1), candidates[0]!];
    const fastest = () => Math.min(...Object.values(times));
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0 && fastest() > LONG_US) break;
      for (const variant of order) {
        const best = fastest();
        if (variant === candidates[0] && best > LONG_US && best < Infinity) continue;
        const sofar = times[variant.name];
        if (sofar !== undefined && sofar > HOPELESS * best) continue;
        await this.#device.pipelines.compile(variant.program());
        const dispatches = workload.bind(() => variant);
        // The first dispatch compiles in many drivers and is never the time of the kernel.
        if (sofar === undefined) await this.#timer.sample(dispatches);
        const time = timeUs(await this.#timer.sample(dispatches));
        times[variant.name] = Math.min(sofar ?? Infinity, time);
      }
    }
    return times;
  }
}
